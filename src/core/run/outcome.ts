import type { DocumentRef, Fingerprint } from '../document/document.ts'
import type { QualityIssue } from '../document/quality-checks.ts'
import type { Failure } from '../errors/failure.ts'
import { addUsage, type Usage, zeroUsage } from '../pricing/usage.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import type { Attempt } from '../request/attempt.ts'
import type { TextKind } from '../text/text-kind.ts'
import type { Provenance } from './provenance.ts'

/** What became of one source: every source gets exactly one. A document's failure is a value, never an exception. */
export type Outcome = Summarized | Failed | Skipped | Pending

interface OutcomeBase {
  readonly document: DocumentRef
  /** What was asked, or would have been; undefined where no document could be read. */
  readonly requestMetadata?: RequestMetadata
  /** Every sending for it, in order. */
  readonly attempts: readonly Attempt[]
  /** From taking it up to its end, waits included: milliseconds. */
  readonly elapsedMs: number
}

/** What an answer depends on: the document as it was read, and the request made from it. */
export interface RequestMetadata {
  readonly requestHash: string
  readonly fingerprint: Fingerprint
  /** Of the whole prompt; of a document in chunks, of the prompts about all of them. */
  readonly characters: number
  readonly kind: TextKind
  /** In how many chunks the document is asked about, each counted once; undefined where one request holds it. */
  readonly chunks?: number
  /** How it was asked, where an earlier run may have decided that. */
  readonly provenance?: Provenance
  /** What becomes of the answer, likewise. */
  readonly answerSettings?: AnswerSettings
}

interface Summarized extends OutcomeBase {
  readonly status: 'summarized'
  readonly requestMetadata: RequestMetadata
  readonly text: string
  /** Why it may be worth a look. */
  readonly qualityIssues?: readonly QualityIssue[]
}

export interface Failed extends OutcomeBase {
  readonly status: 'failed'
  readonly failure: Failure
  /** Text that was paid for all the same: a summary that was cut off. */
  readonly partialText?: string
}

/** Nothing to do: no document (met in a walk and empty, or not text), or its summary is there (`unchanged`, `modified`). */
interface Skipped extends OutcomeBase {
  readonly status: 'skipped'
  readonly type: string
  readonly reason: string
}

/** Pending: the run was stopped, or the account refused. The next run takes it up. */
interface Pending extends OutcomeBase {
  readonly status: 'pending'
  readonly reason: string
  /** The same command goes on with it, though nothing had stopped this one. */
  readonly deferred?: true
  /** Set if the document is in a batch that the API has confirmed. */
  readonly inBatch?: true
}

/** The tokens billed over all attempts that the server counted. */
export function sumUsage({ attempts }: Pick<OutcomeBase, 'attempts'>): Usage {
  return attempts.reduce((sum, { usage }) => (usage === undefined ? sum : addUsage(sum, usage)), zeroUsage)
}
