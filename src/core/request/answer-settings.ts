import type { QualityIssue } from '../document/quality-checks.ts'
import type { Prices } from '../pricing/models.ts'
import type { JsonSchema } from './schema-support.ts'

/**
 * What decides how the answer about a document becomes its summary. It is fixed when the document is sent. A batch stores
 * it, because the run that collects the answer may have other options.
 */
export interface AnswerSettings {
  /** The limit that was set for the answer: output tokens. */
  readonly maxTokens: number
  /** What the answer must fit: the summary is a JSON file then. */
  readonly schema?: JsonSchema
  /** The language that was asked for, in English: `German`. */
  readonly language?: string
  /** About how many words were asked for. */
  readonly words?: number
  /** The summary starts with YAML that says where it comes from. */
  readonly frontMatter: boolean
  /** Replaces whatever was in the place of the summary before this time. Milliseconds since 1970. */
  readonly replacesBefore?: number
  /** The user's own price of the model. */
  readonly price?: Prices
}

/** Checks of a complete answer. */
export interface AnswerChecks {
  /** Why it is not what was asked for; undefined where it is. */
  findMismatch(text: string): string | undefined
  /** Why it may be wrong all the same. @param document its text, where it is at hand */
  checkQuality(summary: string, document: string | undefined): readonly QualityIssue[]
}
