import type { Example } from './command-spec.ts'
import { formatRows, formatStackedRows } from './help-layout.ts'

/**
 * Returns the examples of a command as its help shows them.
 * @param columns the width of the terminal, in characters
 */
export function formatExamples(examples: readonly Example[], columns: number): string {
  const [commandWidth, textWidth] = [0, 1].map((index) =>
    Math.max(...examples.map((example) => example[index]?.length ?? 0)),
  ) as [number, number]
  return commandWidth + textWidth + 5 <= columns
    ? formatRows('Examples:', examples, columns)
    : formatStackedRows('Examples:', examples, columns)
}

/** The message that the program prints without arguments. */
export const firstSteps = `What to type next:
  claude-batch summarize ./docs --simulate   try it: no key, no cost, summaries in summaries/
  claude-batch summarize ./docs              use the API: set ANTHROPIC_API_KEY first
  claude-batch --help                        list all commands
`
