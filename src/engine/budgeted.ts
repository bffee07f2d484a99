import { EventEmitter, once } from 'node:events'
import type { Ask } from '../core/ask.ts'
import { type Budget, mostOf, newBudget, reserve, settle, worstCase } from '../core/budget.ts'
import { AskError, StoppedError } from '../core/failure.ts'
import { dollars, type Picodollars, type PriceOf } from '../core/price.ts'
import { RunError } from '../errors.ts'
import { underBoth } from './under-both.ts'

/** A purse that everybody who shares it pays from; see `core/budget.ts` for what it promises. */
export interface Purse {
  /**
   * Sends a request once its worst case fits; first come, first served. One that would fit once those under way are
   * settled waits for them. Rejects with a `RunError` `limit` where it cannot fit any more.
   */
  within(ask: Ask, drain: AbortSignal): Ask
  budget(): Budget
}

export function createPurse(cap: Picodollars, priceOf: PriceOf): Purse {
  let budget = newBudget(cap)
  let turn: Promise<unknown> = Promise.resolve()
  const news = new EventEmitter().setMaxListeners(0)

  const take = async (worst: Picodollars, signal: AbortSignal) => {
    while (true) {
      signal.throwIfAborted()
      const after = reserve(budget, worst)
      if (after !== undefined) {
        budget = after
        return
      }
      if (budget.reserved === 0n) throw new RunError('limit', spent(budget, worst))
      await once(news, 'settled', { signal }).catch(() => signal.throwIfAborted())
    }
  }

  return {
    budget: () => budget,
    within: (ask, drain) => async (request, signal, watch) => {
      const worst = worstCase(request, priceOf)
      if (worst === undefined)
        throw new RunError('usage', `--max-cost cannot be kept to: ${request.model} has no known price`)
      const mine = turn.then(() => underBoth(drain, signal, (either) => take(worst, either)))
      turn = mine.catch(() => {})
      await mine
      const over = (cost: Picodollars) => {
        budget = settle(budget, worst, cost)
        news.emit('settled')
      }
      try {
        const reply = await ask(request, signal, watch)
        over(mostOf(reply.attempts, worst))
        return reply
      } catch (error) {
        const sent = error instanceof AskError || error instanceof StoppedError ? error.attempts : []
        over(mostOf(sent, worst))
        throw error
      }
    },
  }
}

function spent({ cap, spent }: Budget, worst: Picodollars): string {
  return `stopped at --max-cost ${dollars(cap)}: ${dollars(spent)} is spent, and the next request may cost ${dollars(worst)}`
}
