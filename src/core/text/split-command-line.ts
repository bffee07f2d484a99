/**
 * Splits a command line into the program and its arguments, without a shell: spaces separate words, and
 * single or double quotes keep a word together. Nothing else is special: no variables, no patterns, no
 * backslashes, which Windows uses in paths.
 * @returns undefined if there is no program or a quote is not closed
 */
export function splitCommandLine(commandLine: string): readonly [string, ...string[]] | undefined {
  const words: string[] = []
  const rest = commandLine.trim().replace(wordPattern, (word) => {
    words.push(
      word.trim().replace(quotedPattern, (_, double: string = '', single: string = '') => double + single),
    )
    return ''
  })
  const [program, ...args] = words
  return rest !== '' || program === undefined || program === '' ? undefined : [program, ...args]
}

const wordPattern = /(?:[^\s"']|"[^"]*"|'[^']*')+(?:\s+|$)/gy
const quotedPattern = /"([^"]*)"|'([^']*)'/g
