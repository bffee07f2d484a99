import type * as core from '../core/run/outcome.ts'
import { type Problem, toProblem } from './library-error.ts'
import { computeSpending, type Spending } from './spending.ts'

/** What became of one text: each that was taken from the source has exactly one. */
export type Outcome = SummarizedText | FailedText | PendingText

interface OutcomeBase extends Spending {
  /** Its place in the source, from 0. */
  readonly index: number
  readonly id: string
  /** From taking it up to its end, waits and retries included: milliseconds. */
  readonly elapsedMs: number
}

export interface SummarizedText extends OutcomeBase {
  readonly status: 'summarized'
  /** The summary. */
  readonly text: string
  /** The id of the model that answered. */
  readonly model: string
  /** The service's id of the request. */
  readonly requestId: string | null
}

export interface FailedText extends OutcomeBase {
  readonly status: 'failed'
  readonly error: Problem
  /** Text that came all the same, of an answer that was cut off or declined; null where there is none. */
  readonly partial: string | null
}

/** Pending: the run was aborted or the account refused, and the loop is about to throw. */
export interface PendingText extends OutcomeBase {
  readonly status: 'pending'
  readonly reason: string
}

export function toPublicOutcome(outcome: core.Outcome): Outcome {
  const { document, attempts, elapsedMs } = outcome
  const common = { index: document.index, id: document.path, ...computeSpending(attempts), elapsedMs }
  if (outcome.status === 'summarized') {
    const { model = '', requestId = null } = attempts.at(-1) ?? {}
    return { ...common, status: 'summarized', text: outcome.text, model, requestId }
  }
  if (outcome.status === 'failed') {
    const { failure, partialText: partial = '' } = outcome
    return {
      ...common,
      status: 'failed',
      error: toProblem(failure),
      partial: partial === '' ? null : partial,
    }
  }
  return { ...common, status: 'pending', reason: outcome.reason }
}
