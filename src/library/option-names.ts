/** Messages that name a flag of the command line, in the words of whoever calls a function. */
export function toOptionNames(message: string): string {
  return replacements.reduce((text, [flag, option]) => text.replaceAll(flag, option), message)
}

const replacements = [
  [', or try the tool without a key: --simulate', ''],
  ['; run the same command again later', '; try again later'],
  ['--allow-http ', 'allowHttp: '],
  ['--max-tokens', 'maxTokens'],
  ['--max-wait', 'maxWaitMs'],
  ['--max-cost', 'maxCostUsd'],
  ['--effort', 'effort'],
  ['--prompt', 'prompt'],
  ['--var ', 'vars: '],
] as const
