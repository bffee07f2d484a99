import { formatUsd, type Picodollars } from '../pricing/pricing-rules.ts'
import { formatDuration } from '../text/format-duration.ts'
import type { AskError } from './ask-error.ts'
import { describeAccountError } from './describe-account-error.ts'

/**
 * An error that ends a run; unfinished documents stay pending. `errors.ts` decides how the command line ends
 * for each kind, and the library maps it to its own errors. Messages do not name flags: `describe` takes the
 * caller's name of the setting.
 */
export abstract class RunError extends Error {}

/** The next request could exceed the spending cap. Amounts are picodollars. */
export class BudgetExceededError extends RunError {
  override readonly name = 'BudgetExceededError'
  /** Returns the message. @param setting what the caller calls the cap */
  readonly describe: (setting: string) => string
  /** Whether nothing was spent, so that the same run would stop again. */
  readonly isTooSmall: boolean
  /** Whether the cap applies to a period, so that it leaves more later. */
  readonly isForPeriod: boolean

  /**
   * @param reservedForBatches what is reserved for batches that are not collected yet
   * @param worstCaseCost the most that the next request may cost
   * @param capName a cap for a period with its amount, instead of what the caller calls the cap
   */
  constructor(
    { cap, spent }: { readonly cap: Picodollars; readonly spent: Picodollars },
    reservedForBatches: Picodollars,
    worstCaseCost: Picodollars,
    capName?: string,
  ) {
    const reserved =
      reservedForBatches === 0n
        ? ''
        : `, ${formatUsd(reservedForBatches)} is reserved for requests in batches`
    const describe = (setting: string) =>
      `stopped at ${capName ?? `${setting} ${formatUsd(cap)}`}: ${formatUsd(spent)} is spent${capName === undefined ? '' : ' by this run'}${reserved}, and the next request may cost ${formatUsd(worstCaseCost)}`
    super(describe('the budget of'))
    this.describe = describe
    this.isTooSmall = spent === 0n && reservedForBatches === 0n
    this.isForPeriod = capName !== undefined
  }
}

/** A spending cap cannot be kept, because the price of a model is unknown. */
export class UnknownPriceError extends RunError {
  override readonly name = 'UnknownPriceError'
  readonly describe: (setting: string) => string

  constructor(model: string) {
    const describe = (setting: string) => `${setting} cannot be enforced: ${model} has no known price`
    super(describe('the budget'))
    this.describe = describe
  }
}

/** The API asks for a longer pause than the user allows, or has failed for longer than that. */
export class WaitTooLongError extends RunError {
  override readonly name = 'WaitTooLongError'
  /** Returns the message. @param setting what the caller calls the longest wait */
  readonly describe: (setting: string) => string

  /**
   * @param requestedMs the pause that the API asked for: milliseconds; undefined if it named none
   * @param outageMs how long the API has failed: milliseconds
   * @param maxWaitMs the longest wait that the user allows: milliseconds
   * @param reason the last error of the API
   */
  constructor(requestedMs: number | undefined, outageMs: number, maxWaitMs: number, reason: string) {
    const outage = outageMs > 1000 ? ` after ${formatDuration(outageMs)} of errors` : ''
    const describe = (setting: string) => {
      const limit = `${setting} ${formatDuration(maxWaitMs)}`
      return requestedMs === undefined
        ? `gave up on the API${outage} (${limit}): ${reason}`
        : `the API asks for a pause of ${formatDuration(requestedMs)}${outage}, longer than ${limit}: ${reason}`
    }
    super(describe('the longest wait of'))
    this.describe = describe
  }
}

/** The API cannot be reached. */
export class UnreachableError extends RunError {
  override readonly name = 'UnreachableError'

  /** @param reason the error of the last attempt */
  constructor(reason: string, options?: ErrorOptions) {
    super(`cannot reach the API: ${reason}`, options)
  }
}

/** Message batches cannot be created, found or collected. */
export class BatchError extends RunError {
  override readonly name: string = 'BatchError'
  /** Whether the same run may succeed later. */
  readonly isTransient: boolean

  constructor(message: string, isTransient: boolean) {
    super(message)
    this.isTransient = isTransient
  }
}

/** The API does not know a batch that it created. */
export class UnknownBatchError extends BatchError {
  override readonly name = 'UnknownBatchError'
  readonly batchId: string
  readonly localId: string

  constructor(batchId: string, localId: string) {
    super(
      `the API does not know the batch ${batchId}: it was deleted, or created with another account's key`,
      false,
    )
    this.batchId = batchId
    this.localId = localId
  }
}

/** The API rejects the account or the setup, so all requests would fail. `cause` is one of them. */
export class AccountError extends RunError {
  override readonly name = 'AccountError'
  /** Returns the message. @param avoidBatches how the user sends requests live, as an imperative */
  readonly describe: (avoidBatches: string) => string

  /**
   * @param model the requested model id
   * @param endpoint the base URL of the API
   */
  constructor(cause: AskError, model: string, endpoint: string) {
    super(describeAccountError(cause.requestError, model, endpoint), { cause })
    this.describe = (avoidBatches) => describeAccountError(cause.requestError, model, endpoint, avoidBatches)
  }
}
