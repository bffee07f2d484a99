import type { Citation } from '../core/citations/citation.ts'
import type * as core from '../core/run/outcome.ts'
import { type Problem, toProblem } from './library-error.ts'
import type { AnswerReader } from './schema-data.ts'
import { computeSpending, type Spending } from './spending.ts'

/** The outcome of one text. Each text that was taken from the source has exactly one. */
export type Outcome<Data = unknown> = SummarizedText<Data> | FailedText | PendingText

interface OutcomeBase extends Spending {
  /** Index of the text in the source, from 0. */
  readonly index: number
  /** The id of the text, or `text-1`, `text-2`, … */
  readonly id: string
  /** Time in milliseconds from taking the text to its outcome, including waits and retries. */
  readonly elapsedMs: number
}

/** The outcome of a text that has a summary. */
export interface SummarizedText<Data = unknown> extends OutcomeBase {
  /** Distinguishes it from other outcomes. */
  readonly status: 'summarized'
  /** The summary. */
  readonly text: string
  /** The text, parsed, if the prompt has a schema, which it matches; otherwise undefined. */
  readonly data: Data
  /** The passages of the text that support the summary, if the prompt asks for citations; otherwise undefined. */
  readonly citations: readonly Citation[] | undefined
  /** The id of the model that answered. */
  readonly model: string
  /** The API's request id. */
  readonly requestId: string | null
  /**
   * Whether this is the answer to an equal request, so that nothing was sent: from the store, or that of another text.
   */
  readonly reused: boolean
}

/** The outcome of a text that has no summary. */
export interface FailedText extends OutcomeBase {
  /** Distinguishes it from other outcomes. */
  readonly status: 'failed'
  /** Why it has none. */
  readonly error: Problem
  /** The text of a truncated or refused answer; null without any text. */
  readonly partial: string | null
  /** Whether an equal request failed in this way, and would fail again, so that nothing was sent. */
  readonly reused: boolean
}

/**
 * The outcome of a text that is not finished. It is in a batch that a later call with the same store collects; or its batch
 * ended without an answer to it, and a later call sends it again; or the call was stopped, and the loop is about to throw.
 */
export interface PendingText extends OutcomeBase {
  /** Distinguishes it from other outcomes. */
  readonly status: 'pending'
  /** Why, with the id of the batch; for people. */
  readonly reason: string
}

/** Converts an outcome for the caller. */
export function toPublicOutcome(outcome: core.Outcome, { readData }: AnswerReader): Outcome {
  const { document, attempts, elapsedMs } = outcome
  const common = { index: document.index, id: document.path, ...computeSpending(attempts), elapsedMs }
  if (outcome.status === 'summarized') {
    const { text, citations, reusedFrom } = outcome
    const { model = '', requestId = null } = reusedFrom ?? attempts.at(-1) ?? {}
    const answer = { text, ...readData(text), citations, model, requestId, reused: reusedFrom !== undefined }
    return { ...common, status: 'summarized', ...answer } as SummarizedText
  }
  if (outcome.status === 'failed') {
    const { failure, partialText: partial = '' } = outcome
    return {
      ...common,
      status: 'failed',
      error: toProblem(failure),
      partial: partial === '' ? null : partial,
      reused: outcome.isRepeated === true,
    }
  }
  return { ...common, status: 'pending', reason: outcome.reason }
}
