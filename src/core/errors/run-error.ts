import { formatUsd, type Picodollars } from '../pricing/pricing-rules.ts'
import { formatDuration } from '../text/format-duration.ts'
import type { AskError } from './ask-error.ts'
import { describeAccountError } from './describe-account-error.ts'

/**
 * A run cannot go on; documents that are not done stay pending. `errors.ts` maps each kind to how the command line ends,
 * and the library to an error of its own. Messages name no flags: `describe` takes the name of the setting that decides,
 * as its caller knows it.
 */
export abstract class RunError extends Error {}

/** The next request could exceed the spending cap. Amounts are picodollars. */
export class BudgetExceededError extends RunError {
  override readonly name = 'BudgetExceededError'
  /** @param setting what the caller calls the cap */
  readonly describe: (setting: string) => string

  /**
   * @param reservedForBatches what is reserved for batches that are not collected yet
   * @param worstCaseCost the most that the next request may cost
   */
  constructor(
    { cap, spent }: { readonly cap: Picodollars; readonly spent: Picodollars },
    reservedForBatches: Picodollars,
    worstCaseCost: Picodollars,
  ) {
    const reserved =
      reservedForBatches === 0n
        ? ''
        : `, ${formatUsd(reservedForBatches)} is reserved for requests in batches`
    const describe = (setting: string) =>
      `stopped at ${setting} ${formatUsd(cap)}: ${formatUsd(spent)} is spent${reserved}, and the next request may cost ${formatUsd(worstCaseCost)}`
    super(describe('the budget of'))
    this.describe = describe
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

/** The service asks for a longer pause than the user allows, or is in trouble for longer than that. */
export class WaitTooLongError extends RunError {
  override readonly name = 'WaitTooLongError'
  /** @param setting what the caller calls the longest wait */
  readonly describe: (setting: string) => string

  /**
   * @param requestedMs the pause that the service asked for; undefined where it named none
   * @param outageMs how long the trouble has lasted
   * @param maxWaitMs the longest wait that the user allows
   * @param reason the last error of the service
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

/** No connection to the service can be made. */
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
  /** The same run may succeed later, without any change. */
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

  constructor(batchId: string) {
    super(
      `the API does not know the batch ${batchId}: it was deleted, or created with another account's key`,
      false,
    )
    this.batchId = batchId
  }
}

/** The account or the setup is refused, so every further request would fail. The cause is the refused request. */
export class AccountError extends RunError {
  override readonly name = 'AccountError'
  /** @param avoidBatches how the user sends requests live, as an imperative */
  readonly describe: (avoidBatches: string) => string

  /**
   * @param model the id that was asked for
   * @param endpoint the base URL that was asked
   */
  constructor(cause: AskError, model: string, endpoint: string) {
    super(describeAccountError(cause.requestError, model, endpoint), { cause })
    this.describe = (avoidBatches) => describeAccountError(cause.requestError, model, endpoint, avoidBatches)
  }
}
