import { UnreadableError } from './unreadable-error.ts'

/** Bytes that the parts of one archive may come to when unpacked, counted while they are: what its index says may lie. */
export const maxUnpackedBytes = 64_000_000

/** Characters of text: more than any model's window can hold. */
const maxTextChars = 10_000_000

/** Tags within tags. Pages that nobody checks leave many open, so this is far above what anybody means. */
export const maxNesting = 10_000

/** @throws UnreadableError for more text than any model can read at once */
export function checkTextLength(characters: number): void {
  if (characters > maxTextChars)
    throw new UnreadableError(
      'too_large',
      `it holds more than ${maxTextChars / 1e6} million characters, which no model can read at once; split it`,
    )
}

/** Characters that are not white space. A summary of less text, next to pictures that are not sent, would be invented. */
export const minTextChars = 64
