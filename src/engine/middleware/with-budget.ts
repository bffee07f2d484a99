import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import { type Budget, mostOf, newBudget, reserve, settle, worstCase } from '../../core/pricing/budget.ts'
import { dollars, type Picodollars, type PriceOf, type Terms } from '../../core/pricing/price.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Request } from '../../core/request/request.ts'
import { RunError } from '../../errors.ts'
import { underBoth } from '../with-any-signal.ts'
import { createLine } from './waiting-line.ts'

/** A purse that everybody who shares it pays from; see `core/pricing/budget.ts` for what it promises. */
export interface Purse {
  /**
   * Sends a request once its worst case fits; first come, first served. One that would fit once requests in flight are
   * settled waits for them. It never waits for what is set aside for batches: only collecting releases that, which may
   * itself wait for this request. Rejects with a `RunError` `limit` where it cannot fit any more.
   */
  within(ask: Ask, drain: AbortSignal): Ask
  /**
   * Sets the worst case of a request of a batch aside, to be settled when its answer has come; undefined where it does
   * not fit now. @throws RunError `usage` for a model without a price
   */
  setAside(request: Request): Aside | undefined
  /** Why such a request cannot be sent any more. */
  refusal(request: Request): RunError
  budget(): Budget
}

/** Ends with what it did cost; the worst, if that is not known. */
export type Aside = (cost?: Picodollars) => void

export function createPurse(cap: Picodollars, priceOf: PriceOf): Purse {
  let budget = newBudget(cap)
  /** What of the reserved amount is set aside for batches. */
  let inBatches: Picodollars = 0n
  const line = createLine((worst: Picodollars) => {
    const after = reserve(budget, worst)
    if (after !== undefined) {
      budget = after
      return true
    }
    // What is in flight may cost less than its worst case; when nothing is, no more will be free.
    if (budget.reserved === inBatches) throw limitReached(worst)
    return undefined
  })

  const worstOf = (request: Request, terms?: Terms) => {
    const worst = worstCase(request, priceOf, terms)
    if (worst === undefined)
      throw new RunError('usage', `--max-cost cannot be kept to: ${request.model} has no known price`)
    return worst
  }
  const limitReached = (worst: Picodollars) => new RunError('limit', spent(budget, inBatches, worst))
  const over = (worst: Picodollars, cost: Picodollars) => {
    budget = settle(budget, worst, cost)
    line.advance()
  }

  return {
    budget: () => budget,
    setAside(request) {
      const worst = worstOf(request, { batch: true })
      const after = reserve(budget, worst)
      if (after === undefined) return undefined
      budget = after
      inBatches += worst
      return (cost = worst) => {
        inBatches -= worst
        over(worst, cost)
      }
    },
    refusal: (request) => limitReached(worstOf(request, { batch: true })),
    within: (ask, drain) => async (request, signal, watch) => {
      const worst = worstOf(request)
      await underBoth(drain, signal, (either) => line.join(worst, either))
      try {
        const reply = await ask(request, signal, watch)
        over(worst, mostOf(reply.attempts, worst))
        return reply
      } catch (error) {
        const sent = error instanceof AskError || error instanceof StoppedError ? error.attempts : []
        over(worst, mostOf(sent, worst))
        throw error
      }
    },
  }
}

function spent({ cap, spent }: Budget, inBatches: Picodollars, worst: Picodollars): string {
  const reserved = inBatches === 0n ? '' : `, ${dollars(inBatches)} is reserved for requests in batches`
  return `stopped at --max-cost ${dollars(cap)}: ${dollars(spent)} is spent${reserved}, and the next request may cost ${dollars(worst)}`
}
