import type { BatchApi } from '../../core/batch/batch-api.ts'
import type { AskError } from '../../core/errors/ask-error.ts'
import type { RunError } from '../../core/errors/run-error.ts'
import type { Clock } from '../../core/run/clock.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import type { SettleReservation } from '../middleware/shared-budget.ts'
import type { PrepareOptions } from '../prepare.ts'
import type { Shutdown } from '../shutdown.ts'
import type { AddHint } from '../with-failure-hint.ts'

/** The options that submitting and collecting batches share. */
export interface BatchContext extends Pick<PrepareOptions, 'checkConflict' | 'findEarlierResult'> {
  readonly batchApi: BatchApi
  /** Adds to a failure what the user can do about it. Default: adds nothing. */
  readonly addHint?: AddHint
  /** Describes a request error that ends the run. */
  readonly toRunError: (error: AskError) => RunError
  /** Writes an outcome to the journal, so that it survives a crash. Returns false if the write failed. */
  readonly persist?: (outcome: Outcome) => Promise<boolean>
  /** Called with each outcome before it is persisted. */
  readonly onOutcome?: (outcome: Outcome) => void
  readonly shutdown: Shutdown
  readonly clock: Clock
  readonly random: () => number
  /** The maximum number of retries of a call while the API cannot answer. */
  readonly retries: number
}

/** The budget reserved for documents in batches, by document path. */
export type Reservations = Map<string, SettleReservation>
