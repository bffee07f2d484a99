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
  /** The id of the model that answered. */
  readonly model: string
  /** The API's request id. */
  readonly requestId: string | null
}

/** The outcome of a text that has no summary. */
export interface FailedText extends OutcomeBase {
  /** Distinguishes it from other outcomes. */
  readonly status: 'failed'
  /** Why it has none. */
  readonly error: Problem
  /** The text of a truncated or refused answer; null without any text. */
  readonly partial: string | null
}

/** The outcome of a text that is not finished: the run stops, and the loop is about to throw. */
export interface PendingText extends OutcomeBase {
  /** Distinguishes it from other outcomes. */
  readonly status: 'pending'
  /** Why it is not finished, for people. */
  readonly reason: string
}

/** Converts an outcome for the caller. */
export function toPublicOutcome(outcome: core.Outcome, { readData }: AnswerReader): Outcome {
  const { document, attempts, elapsedMs } = outcome
  const common = { index: document.index, id: document.path, ...computeSpending(attempts), elapsedMs }
  if (outcome.status === 'summarized') {
    const { model = '', requestId = null } = attempts.at(-1) ?? {}
    const { text } = outcome
    return { ...common, status: 'summarized', text, ...readData(text), model, requestId } as SummarizedText
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
