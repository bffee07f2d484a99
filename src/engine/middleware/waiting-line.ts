/** Callers that wait for something, in order of arrival. */
export interface Line<Item, Pass> {
  /**
   * Waits until the caller is first in line and is admitted.
   * @param item what `admit` needs to know of the caller
   * @param ahead of all that wait now, instead of behind them
   * @returns what `admit` returned for it
   * @throws what `admit` threw for it; the reason of `signal` as soon as that aborts, wherever in line the caller is
   */
  join(item: Item, signal: AbortSignal, ahead?: boolean): Promise<Pass>
  /** Admits the first in line, then the next, until one has to wait. Call it whenever `admit` may decide otherwise. */
  advance(): void
  /** How many wait. */
  length(): number
}

interface Caller<Item, Pass> {
  readonly item: Item
  readonly admitted: (pass: Pass) => void
  readonly refused: (error: unknown) => void
}

/**
 * Creates a line. Nobody waits for the caller in front to finish its own wait: that one is only asked about again when
 * something changes, so a caller that leaves holds up no one.
 * @param admit decides about the first in line; undefined: it has to wait, and so have all behind it
 */
export function createLine<Item, Pass extends object | true>(
  admit: (item: Item) => Pass | undefined,
): Line<Item, Pass> {
  const waiting: Caller<Item, Pass>[] = []

  const advance = () => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      try {
        const pass = admit(first.item)
        if (pass === undefined) return
        first.admitted(pass)
      } catch (error) {
        first.refused(error)
      }
      waiting.shift()
    }
  }

  const join = (item: Item, signal: AbortSignal, ahead = false) =>
    new Promise<Pass>((resolve, reject) => {
      signal.throwIfAborted()
      const leave = () => {
        const place = waiting.indexOf(caller)
        waiting.splice(place, 1)
        reject(signal.reason)
        if (place === 0) advance()
      }
      const settled = () => signal.removeEventListener('abort', leave)
      const caller: Caller<Item, Pass> = {
        item,
        admitted(pass) {
          settled()
          resolve(pass)
        },
        refused(error) {
          settled()
          reject(error)
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      if (ahead) waiting.unshift(caller)
      else waiting.push(caller)
      if (waiting[0] === caller) advance()
    })

  return { join, advance, length: () => waiting.length }
}
