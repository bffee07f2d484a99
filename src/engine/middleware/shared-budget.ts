import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import { BudgetExceededError, UnknownPriceError } from '../../core/errors/run-error.ts'
import {
  type BudgetState,
  commitCost,
  computeMaxCost,
  computeWorstCaseCost,
  createBudgetState,
  reserveCost,
} from '../../core/pricing/budget-state.ts'
import type { BillingTerms, Picodollars, PriceOf } from '../../core/pricing/pricing-rules.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Request } from '../../core/request/request.ts'
import { withAnySignal } from '../with-any-signal.ts'
import { createWaitQueue } from './wait-queue.ts'

/** A budget that all callers share; for its guarantees, see `core/pricing/budget-state.ts`. */
export interface SharedBudget {
  /**
   * Wraps an `Ask` so that a request is sent when its worst case fits into the budget; first come, first
   * served. A request waits if reservations of requests in flight may be released. It never waits for batch
   * reservations: only collecting releases those, and collecting may wait for this request. Rejects with a
   * `BudgetExceededError` if the request can no longer fit.
   */
  withBudget(ask: Ask, drainSignal: AbortSignal): Ask
  /**
   * Reserves the worst case of a batch item, to be settled when its result arrives. Returns undefined if it
   * does not fit now.
   * @throws UnknownPriceError
   */
  reserve(request: Request): SettleReservation | undefined
  /** Returns the error for a request that no longer fits into the budget. */
  createExceededError(request: Request): BudgetExceededError
  getBudget(): BudgetState
  /** Lowers the cap, unless it is lower. @param name what errors call the new cap, with its amount */
  lowerCap(cap: Picodollars, name: string): void
}

/** Ends a reservation. @param cost the actual cost; default: the worst case */
export type SettleReservation = (cost?: Picodollars) => void

export function createSharedBudget(cap: Picodollars, priceOf: PriceOf): SharedBudget {
  let budget = createBudgetState(cap)
  /** The part of the reserved amount that belongs to batches. */
  let reservedForBatches: Picodollars = 0n
  let capName: string | undefined
  const waitQueue = createWaitQueue((worstCaseCost: Picodollars) => {
    const after = reserveCost(budget, worstCaseCost)
    if (after !== undefined) {
      budget = after
      return true
    }
    // Requests in flight may cost less than their worst case. If none is in flight, nothing will be released.
    if (budget.reserved === reservedForBatches) throw createLimitError(worstCaseCost)
    return undefined
  })

  const computeWorstCase = (request: Request, terms?: BillingTerms) => {
    const worstCaseCost = computeWorstCaseCost(request, priceOf, terms)
    if (worstCaseCost === undefined) throw new UnknownPriceError(request.model)
    return worstCaseCost
  }
  const createLimitError = (worstCaseCost: Picodollars) =>
    new BudgetExceededError(budget, reservedForBatches, worstCaseCost, capName)
  const settleReservation = (worstCaseCost: Picodollars, cost: Picodollars) => {
    budget = commitCost(budget, worstCaseCost, cost)
    waitQueue.advance()
  }

  return {
    getBudget: () => budget,
    lowerCap(cap, name) {
      if (cap > budget.cap) return
      budget = { ...budget, cap }
      capName = name
    },
    reserve(request) {
      const worstCaseCost = computeWorstCase(request, { batch: true })
      const after = reserveCost(budget, worstCaseCost)
      if (after === undefined) return undefined
      budget = after
      reservedForBatches += worstCaseCost
      return (cost = worstCaseCost) => {
        reservedForBatches -= worstCaseCost
        settleReservation(worstCaseCost, cost)
      }
    },
    createExceededError: (request) => createLimitError(computeWorstCase(request, { batch: true })),
    withBudget: (ask, drainSignal) => async (request, signal, onText) => {
      const worstCaseCost = computeWorstCase(request)
      drainSignal.throwIfAborted()
      signal.throwIfAborted()
      if (waitQueue.tryJoin(worstCaseCost) === undefined)
        await withAnySignal(drainSignal, signal, (combined) => waitQueue.join(worstCaseCost, combined))
      try {
        const reply = await ask(request, signal, onText)
        settleReservation(worstCaseCost, computeMaxCost(reply.attempts, worstCaseCost))
        return reply
      } catch (error) {
        const attempts = error instanceof AskError || error instanceof StoppedError ? error.attempts : []
        settleReservation(worstCaseCost, computeMaxCost(attempts, worstCaseCost))
        throw error
      }
    },
  }
}
