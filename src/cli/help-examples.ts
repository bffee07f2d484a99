import type { Example } from './command-spec.ts'

/** Returns the examples of a command as its help shows them. */
export function formatExamples(examples: readonly Example[]): string {
  const width = Math.max(...examples.map(([text]) => text.length))
  const lines = examples.map(([text, explanation]) => `  ${text.padEnd(width)}   ${explanation}\n`)
  return `Examples:\n${lines.join('')}`
}

/** The message that the program prints without arguments. */
export const firstSteps = `What to type next:
  claude-batch summarize ./docs --simulate   try it: no key, no cost, summaries in summaries/
  claude-batch summarize ./docs              use the API: set ANTHROPIC_API_KEY first
  claude-batch --help                        list all commands
`
