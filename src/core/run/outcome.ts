import type { Citation } from '../citations/citation.ts'
import type { DocumentRef, Fingerprint } from '../document/document.ts'
import type { QualityIssue } from '../document/quality-checks.ts'
import type { SummaryOrigin } from '../document/reusable-summary.ts'
import type { Failure } from '../errors/failure.ts'
import { addUsage, type Usage, zeroUsage } from '../pricing/usage.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import type { Attempt } from '../request/attempt.ts'
import type { TextKind } from '../text/text-kind.ts'
import type { Provenance } from './provenance.ts'

/** What became of one document: each gets exactly one outcome. A failure is a value, never an exception. */
export type Outcome = Summarized | Failed | Skipped | Pending

interface OutcomeBase {
  readonly document: DocumentRef
  /** The request that was sent, or would have been; undefined if the document could not be read. */
  readonly requestMetadata?: RequestMetadata
  /** All attempts for the document, in order. */
  readonly attempts: readonly Attempt[]
  /** From the start of the document to its end, including waits: milliseconds. */
  readonly elapsedMs: number
}

/** What a reply depends on: the document when it was read, and the request for it. */
export interface RequestMetadata {
  readonly requestHash: string
  readonly fingerprint: Fingerprint
  /** Length of the whole prompt, or of the prompts for all chunks. */
  readonly characters: number
  readonly kind: TextKind
  /** Number of different chunks; undefined if the document fits into one request. */
  readonly chunks?: number
  /** Set if an earlier run may have sent the request. */
  readonly provenance?: Provenance
  /** Set if an earlier run may have sent the request. */
  readonly answerSettings?: AnswerSettings
}

interface Summarized extends OutcomeBase {
  readonly status: 'summarized'
  readonly requestMetadata: RequestMetadata
  readonly text: string
  /** The passages of the document that support parts of the text; undefined if none were asked for. */
  readonly citations?: readonly Citation[]
  /** The quality checks that the summary failed. */
  readonly qualityIssues?: readonly QualityIssue[]
  /** The document whose summary this is, if no request was sent because it is the same. */
  readonly reusedFrom?: SummaryOrigin
}

export interface Failed extends OutcomeBase {
  readonly status: 'failed'
  readonly failure: Failure
  /** Text that was paid for, such as an incomplete summary. */
  readonly partialText?: string
  /** Whether nothing was sent, because an equal request failed in this way. */
  readonly isRepeated?: true
}

/** Skipped: an empty or non-text file in a folder, or a document with a summary (`unchanged`, `modified`). */
interface Skipped extends OutcomeBase {
  readonly status: 'skipped'
  readonly type: string
  readonly reason: string
}

/** Pending: the run ended before the document was done. The next run continues with it. */
interface Pending extends OutcomeBase {
  readonly status: 'pending'
  readonly reason: string
  /** The run was not stopped: running the same command again continues with the document. */
  readonly deferred?: true
  /** Set if the document is in a batch that the API has confirmed. */
  readonly inBatch?: true
}

/** Sums up the billed tokens of all attempts that the server counted. */
export function sumUsage({ attempts }: Pick<OutcomeBase, 'attempts'>): Usage {
  return attempts.reduce((sum, { usage }) => (usage === undefined ? sum : addUsage(sum, usage)), zeroUsage)
}
