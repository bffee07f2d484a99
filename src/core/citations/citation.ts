/** A part of an answer or of a document: indexes of UTF-16 units, the end exclusive. */
export interface TextRange {
  /** The index of its first character. */
  readonly start: number
  /** The index after its last character. */
  readonly end: number
}

/**
 * A passage that the API names as support for a part of an answer. Untrusted until `verifyCitations` has found it.
 * @see https://platform.claude.com/docs/en/build-with-claude/citations
 */
export interface ReportedCitation {
  /** The part of the answer that it supports. */
  readonly supports: TextRange
  /** The passage, as the API quotes it. */
  readonly quote: string
  /** Where the API says that it is; undefined if that cannot be read. */
  readonly place?: ReportedPlace
}

/**
 * `characters`: indexes in the text that was sent; the documentation does not say whether these are UTF-16 units or code
 * points. `pages` of a PDF, from 1. `blocks` of a document that was sent in parts, from 0. Ends are exclusive.
 */
export interface ReportedPlace extends TextRange {
  readonly unit: 'characters' | 'pages' | 'blocks'
}

/** A citation that was compared with the document. */
export interface Citation {
  /** The part of the answer that it supports. */
  readonly supports: TextRange
  /** The passage, as the API quotes it. */
  readonly quote: string
  /** Where the quote is in the text of the document; undefined if it is not there, or is there several times. */
  readonly found?: TextRange
  /** Where it is in the document, in words: `page 3`, `section Methods, line 40`. Undefined if it is not known. */
  readonly place?: string
}
