import pLimit from 'p-limit'

export interface PoolOptions {
  /** How many may be under way at once; asked anew before each start. */
  readonly getLimit: () => number
  /** Calls back when `size` has grown by itself, until what it returns is called. Otherwise it is asked when one ends. */
  readonly onLimitIncrease?: (listener: () => void) => () => void
  /** How far the newest may run ahead of the oldest unfinished one; bounds what a consumer in order must keep. */
  readonly maxLead?: number
}

/**
 * Works on items, a bounded number at once, and yields the results as they finish. Lazy both ways: the next item is
 * taken only when the pool has room, and a consumer that is slow to take results stops new work from starting.
 */
export async function* runPool<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  { getLimit, onLimitIncrease, maxLead = Number.POSITIVE_INFINITY }: PoolOptions,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const limit = pLimit(getLimit())
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  /** Sequence numbers under way, oldest first, since a Set keeps the order of insertion. */
  const running = new Set<number>()
  const finished: PromiseSettledResult<Result>[] = []
  let started = 0
  let [isTaking, isExhausted] = [false, false]
  /** The source broke off; what is under way by then is still brought to its end. */
  let sourceError: { readonly reason: unknown } | undefined
  let wake: () => void = () => {}
  const unsubscribe = onLimitIncrease?.(() => wake())

  const mayStart = () => {
    const [oldest] = running
    const currentLimit = getLimit()
    if (currentLimit !== limit.concurrency) limit.concurrency = currentLimit
    return (
      !isTaking &&
      !isExhausted &&
      running.size < limit.concurrency &&
      (oldest === undefined || started - oldest < maxLead)
    )
  }
  const start = (item: Item) => {
    const sequence = started++
    running.add(sequence)
    const settle = (result: PromiseSettledResult<Result>) => {
      running.delete(sequence)
      finished.push(result)
      wake()
    }
    limit(work, item).then(
      (value) => settle({ status: 'fulfilled', value }),
      (reason: unknown) => settle({ status: 'rejected', reason }),
    )
  }

  /** Takes the next item; results are handed on meanwhile, however long that takes. */
  const takeNext = async () => {
    isTaking = true
    try {
      const next = await source.next()
      if (next.done) isExhausted = true
      else start(next.value)
    } catch (reason) {
      isExhausted = true
      sourceError = { reason }
    }
    isTaking = false
    wake()
  }

  try {
    while (true) {
      if (mayStart()) void takeNext()
      const result = finished.shift()
      if (result?.status === 'fulfilled') yield result.value
      else if (result !== undefined) throw result.reason
      else if (isExhausted && running.size === 0) {
        if (sourceError !== undefined) throw sourceError.reason
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    unsubscribe?.()
    // Not waited for: a source that has not brought its next item yet would hold everything up.
    if (!isExhausted) Promise.resolve(source.return?.()).catch(() => {})
  }
}
