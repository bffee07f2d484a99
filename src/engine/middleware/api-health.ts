import { type Result, resultsOfOthers, withResult } from '../../core/errors/document-error-rate.ts'
import { enoughRefused, type Refusal } from '../../core/errors/refusal.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import { cut, grown, newWindow, slots as slotsOf } from '../../core/rate-limit/concurrency-limit.ts'
import { failed, fullBudget, isDown, succeeded } from '../../core/rate-limit/retry-budget.ts'

/** How the service fares, as the requests of all documents show. */
export interface Health {
  /** How many requests may be in flight now. */
  slots(): number
  /** Whether any request has reached the service so far. */
  isReached(): boolean
  /** @returns the number of a request that is sent now: they are numbered in order, from 1 */
  sent(document: object): number
  /** The number of the request that was sent last. */
  latest(): number
  /** The request of this number has ended, in whatever way. */
  ended(number: number): void
  /** The service had something to say, if only an error. */
  reached(): void
  /**
   * A request was answered.
   * @param elapsedMs since it was sent
   * @param slotsWereBound see `core/rate-limit/concurrency-limit.ts`
   */
  answered(result: Omit<Result, 'failed'>, elapsedMs: number, slotsWereBound: boolean): void
  /**
   * A request failed in a way that is not known to concern its document alone.
   * @param sign what it shows beside the failure
   * @returns whether the service is down, as far as can be told
   */
  failed(result: Omit<Result, 'failed'>, sign: 'limited' | 'overloaded' | undefined): boolean
  /** The latest results of other documents, of requests sent after the one of that number. */
  resultsOfOthers(document: object, since: number): readonly Result[]
  /**
   * Something came that would stop everything, were it everybody's.
   * @returns whether others were answered since the last time
   */
  alarm(): boolean
  /**
   * A document was refused in a way that would end the run. A second try does not count: it says nothing new.
   * @returns what the documents together show about that
   */
  refused(document: object, number: number, isSecondTry: boolean): Omit<Refusal, 'fault' | 'isSecondTry'>
}

/** What stays of the slots after a 429, and after another sign of overload. */
const kept = { limited: 0.7, overloaded: 0.8 } as const

/** @param slots requests in flight at the same time, to start with and at most */
export function createHealth(
  slots: { readonly first: number; readonly most: number },
  clock: Pick<Clock, 'now'>,
): Health {
  let window = newWindow(slots.first, slots.most)
  let budget = fullBudget
  let latencyMs = 1000
  let isReached = false
  let results: readonly Result[] = []
  /** Numbers of requests: the last one sent, the last one of those that were answered, the last one before an alarm. */
  let [latest, latestAnswered, alarmedAt] = [0, 0, 0]
  /** Their documents, by number. */
  const inFlight = new Map<number, object>()
  /** Documents that were refused, by number of request, without an answer to a later one; what was sent until there were enough. */
  const refused = new Map<object, number>()
  let enoughAt = 0

  return {
    slots: () => slotsOf(window),
    isReached: () => isReached,
    sent(document) {
      inFlight.set(++latest, document)
      return latest
    },
    ended: (number) => void inFlight.delete(number),
    latest: () => latest,
    reached() {
      isReached = true
    },
    answered(result, elapsedMs, slotsWereBound) {
      isReached = true
      latestAnswered = Math.max(latestAnswered, result.number)
      latencyMs += 0.2 * (elapsedMs - latencyMs)
      for (const [document, number] of refused) if (number < result.number) refused.delete(document)
      results = withResult(results, { ...result, failed: false })
      window = grown(window, slotsWereBound)
      budget = succeeded(budget)
    },
    failed(result, sign) {
      results = withResult(results, { ...result, failed: true })
      if (sign !== undefined) window = cut(window, kept[sign], clock.now(), latencyMs)
      if (sign !== 'limited') budget = failed(budget)
      return isDown(budget)
    },
    resultsOfOthers: (document, since) => resultsOfOthers(results, document, since),
    alarm() {
      const isAlone = latestAnswered > alarmedAt
      alarmedAt = latest
      return isAlone
    },
    refused(document, number, isSecondTry) {
      const before = refused.size
      if (!isSecondTry) refused.set(document, number)
      if (refused.size === enoughRefused && before < enoughRefused) enoughAt = latest
      return {
        documents: refused.size,
        hasAnswers: latestAnswered > 0,
        isOtherInFlight: [...inFlight.values()].some((document) => !refused.has(document)),
        isUndecidedInFlight: [...inFlight.keys()].some(
          (it) => it <= enoughAt && it > Math.min(...refused.values()),
        ),
      }
    },
  }
}
