export interface PoolOptions {
  /** Returns the maximum number of items in progress; called again before each start. */
  readonly getLimit: () => number
  /**
   * Calls the listener when the limit has increased, until the returned function is called. Without it, the
   * pool checks the limit only when an item ends.
   */
  readonly onLimitIncrease?: (listener: () => void) => () => void
  /**
   * How far the newest item may be ahead of the oldest unfinished one. This bounds the buffer of a consumer
   * that restores the order. Default: unlimited.
   */
  readonly maxLead?: number
}

/**
 * Runs `work` on each item, a bounded number at the same time, and yields the results as they finish. The
 * pool takes the next item only when it has room. It starts no new work while the consumer is busy with a
 * result.
 */
export async function* runPool<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  { getLimit, onLimitIncrease, maxLead = Number.POSITIVE_INFINITY }: PoolOptions,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  /** Sequence numbers of the items in progress, oldest first: a Set keeps the order of insertion. */
  const running = new Set<number>()
  const finished: PromiseSettledResult<Result>[] = []
  let started = 0
  let [isTaking, isExhausted] = [false, false]
  /** The error of `items`. Items in progress are still finished. */
  let sourceError: { readonly reason: unknown } | undefined
  let wake: () => void = () => {}
  const unsubscribe = onLimitIncrease?.(() => wake())

  const mayStart = () => {
    const [oldest] = running
    return (
      !isTaking &&
      !isExhausted &&
      running.size < getLimit() &&
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
    work(item).then(
      (value) => settle({ status: 'fulfilled', value }),
      (reason: unknown) => settle({ status: 'rejected', reason }),
    )
  }

  /** Takes the next item. The pool does not wait for it: results are yielded meanwhile. */
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
    // Not awaited: a source that is still waiting for its next item would block the pool.
    if (!isExhausted) Promise.resolve(source.return?.()).catch(() => {})
  }
}
