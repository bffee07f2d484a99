/** Callers that wait for something, in order of arrival. */
export interface WaitQueue<Item, Pass> {
  /**
   * Waits until the caller is first in line and is admitted.
   * @param item what `admit` needs to know of the caller
   * @param atFront of all that wait now, instead of behind them
   * @returns what `admit` returned for it
   * @throws what `admit` threw for it; the reason of `signal` as soon as that aborts, wherever in line the caller is
   */
  join(item: Item, signal: AbortSignal, atFront?: boolean): Promise<Pass>
  /** Admits the first in line, then the next, until one has to wait. Call it whenever `admit` may decide otherwise. */
  advance(): void
  /** How many wait. */
  length(): number
}

interface Caller<Item, Pass> {
  readonly item: Item
  readonly onAdmitted: (pass: Pass) => void
  readonly onError: (error: unknown) => void
}

/**
 * Creates a line. Nobody waits for the caller in front to finish its own wait: that one is only asked about again when
 * something changes, so a caller that leaves holds up no one.
 * @param admit decides about the first in line; undefined: it has to wait, and so have all behind it
 */
export function createWaitQueue<Item, Pass extends object | true>(
  admit: (item: Item) => Pass | undefined,
): WaitQueue<Item, Pass> {
  const waiting: Caller<Item, Pass>[] = []

  const advance = () => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      try {
        const pass = admit(first.item)
        if (pass === undefined) return
        first.onAdmitted(pass)
      } catch (error) {
        first.onError(error)
      }
      waiting.shift()
    }
  }

  const join = (item: Item, signal: AbortSignal, atFront = false) =>
    new Promise<Pass>((resolve, reject) => {
      signal.throwIfAborted()
      const onAbort = () => {
        const position = waiting.indexOf(caller)
        waiting.splice(position, 1)
        reject(signal.reason)
        if (position === 0) advance()
      }
      const removeAbortListener = () => signal.removeEventListener('abort', onAbort)
      const caller: Caller<Item, Pass> = {
        item,
        onAdmitted(pass) {
          removeAbortListener()
          resolve(pass)
        },
        onError(error) {
          removeAbortListener()
          reject(error)
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      if (atFront) waiting.unshift(caller)
      else waiting.push(caller)
      if (waiting[0] === caller) advance()
    })

  return { join, advance, length: () => waiting.length }
}
