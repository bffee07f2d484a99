import { UnreadableError } from './unreadable-error.ts'

/**
 * Maximum unpacked bytes of one archive. They are counted while unpacking, because the sizes in the index may
 * be wrong.
 */
export const maxUnpackedBytes = 64_000_000

/** Maximum characters of text: more than any model's context window holds. */
const maxTextChars = 10_000_000

/**
 * Maximum nesting of tags. Careless pages leave many tags open, so the limit is far above intended nesting.
 */
export const maxNesting = 10_000

/** @throws UnreadableError for more text than any model can read in one request */
export function checkTextLength(characters: number): void {
  if (characters > maxTextChars)
    throw new UnreadableError(
      'too_large',
      `it holds more than ${maxTextChars / 1e6} million characters, more than any model can read; split it`,
    )
}

/** More paragraphs and cells than a document has whose text a model can read. */
const maxParagraphs = 1_000_000

/** @throws UnreadableError for more paragraphs than any document needs, which would only take memory */
export function checkParagraphs(paragraphs: number): void {
  if (paragraphs > maxParagraphs)
    throw new UnreadableError(
      'too_complex',
      `it has more than ${maxParagraphs} paragraphs and cells; split it`,
    )
}
