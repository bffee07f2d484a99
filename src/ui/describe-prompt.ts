import { quoteBeginning } from '../core/text/quote-beginning.ts'

/** Returns the prompt of a run for a table, with the beginning of its instructions. */
export function describePrompt({
  prompt,
  instructions,
}: {
  readonly prompt: string
  readonly instructions?: string | null | undefined
}): string {
  return instructions ? `${prompt} ${quoteBeginning(instructions, 40)}` : prompt
}
