import type { QualityIssue } from '../document/quality-checks.ts'
import type { Prices } from '../pricing/models.ts'
import type { JsonSchema } from './schema-support.ts'

/**
 * Settings that turn the reply about a document into its summary. They are fixed when the request is sent. A
 * batch stores them, because the run that collects the reply may have other options.
 */
export interface AnswerSettings {
  /** The `max_tokens` of the request: output tokens. */
  readonly maxTokens: number
  /** The JSON Schema that the reply must match. The summary is then a JSON file. */
  readonly schema?: JsonSchema
  /** The requested language, by its English name: `German`. */
  readonly language?: string
  /** The requested length: approximate number of words. */
  readonly words?: number
  /** Set if the reply must cite the document: whether the summary shows this in footnotes. */
  readonly citations?: 'footnotes' | 'hidden'
  /** Whether the summary starts with YAML front matter. */
  readonly frontMatter: boolean
  /** The summary may overwrite any output file that is older than this: milliseconds since 1970. */
  readonly replacesBefore?: number
  /** The price of the model, if the user set one. */
  readonly price?: Prices
}

/** Checks of a complete reply. */
export interface AnswerChecks {
  /** Returns how the reply differs from what the prompt requires; undefined if it does not. */
  findMismatch(text: string): string | undefined
  /** Returns the quality checks that a summary fails. @param document its text, if available */
  checkQuality(summary: string, document: string | undefined): readonly QualityIssue[]
}
