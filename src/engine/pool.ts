import pLimit from 'p-limit'

export interface PoolOptions {
  /** How many may be under way at once; asked anew before each start. */
  readonly size: () => number
  /** Calls back when `size` has grown by itself, until what it returns is called. Otherwise it is asked when one ends. */
  readonly onGrown?: (listener: () => void) => () => void
  /** How far the newest may run ahead of the oldest unfinished one; bounds what a consumer in order must keep. */
  readonly ahead?: number
}

/**
 * Works on items, a bounded number at once, and yields the results as they finish. Lazy both ways: the next item is
 * taken only when a slot is free, and a consumer that is slow to take results stops new work from starting.
 */
export async function* pool<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  { size, onGrown, ahead = Number.POSITIVE_INFINITY }: PoolOptions,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const limit = pLimit(size())
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  /** Sequence numbers under way, oldest first, since a Set keeps the order of insertion. */
  const running = new Set<number>()
  const finished: PromiseSettledResult<Result>[] = []
  let started = 0
  let [taking, exhausted] = [false, false]
  /** The source broke off; what is under way by then is still brought to its end. */
  let broken: { readonly reason: unknown } | undefined
  let wake: () => void = () => {}
  const ignore = onGrown?.(() => wake())

  const mayStart = () => {
    const [oldest] = running
    const slots = size()
    if (slots !== limit.concurrency) limit.concurrency = slots
    return (
      !taking &&
      !exhausted &&
      running.size < limit.concurrency &&
      (oldest === undefined || started - oldest < ahead)
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
  const take = async () => {
    taking = true
    try {
      const next = await source.next()
      if (next.done) exhausted = true
      else start(next.value)
    } catch (reason) {
      exhausted = true
      broken = { reason }
    }
    taking = false
    wake()
  }

  try {
    while (true) {
      if (mayStart()) void take()
      const result = finished.shift()
      if (result?.status === 'fulfilled') yield result.value
      else if (result !== undefined) throw result.reason
      else if (exhausted && running.size === 0) {
        if (broken !== undefined) throw broken.reason
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    ignore?.()
    // Not waited for: a source that has not brought its next item yet would hold everything up.
    if (!exhausted) Promise.resolve(source.return?.()).catch(() => {})
  }
}
