/** A queue of callers, in order of arrival. */
export interface WaitQueue<Item, Pass> {
  /**
   * Waits until the caller is first in the queue and is admitted.
   * @param item what `admit` needs to know about the caller
   * @param atFront joins at the front of the queue instead of the end
   * @returns what `admit` returned for the caller
   * @throws what `admit` threw for the caller; the reason of `signal` as soon as it aborts, at any position
   * in the queue
   */
  join(item: Item, signal: AbortSignal, atFront?: boolean): Promise<Pass>
  /**
   * Admits a caller if no other is waiting. Saves the signal that only a waiting caller needs.
   * @returns undefined if the caller has to join
   * @throws what `admit` throws
   */
  tryJoin(item: Item): Pass | undefined
  /** Admits callers from the front until one has to wait. Call it whenever `admit` may decide differently. */
  advance(): void
  /** Returns the number of waiting callers. */
  length(): number
}

interface Caller<Item, Pass> {
  readonly item: Item
  readonly onAdmitted: (pass: Pass) => void
  readonly onError: (error: unknown) => void
}

/**
 * Creates a wait queue. `admit` never blocks: it is called again when something changes, so a caller that
 * leaves delays no other.
 * @param admit decides about the first caller; undefined means that it has to wait, and all callers behind it
 * too
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

  const tryJoin = (item: Item) => (waiting.length === 0 ? admit(item) : undefined)
  return { join, tryJoin, advance, length: () => waiting.length }
}
