import type { Ask } from '../core/ask.ts'
import { underBoth } from './under-both.ts'

/** Lends a slot to each request from its first sending to its last; the others wait, first come, first served. */
export type Slots = (ask: Ask, drain: AbortSignal) => Ask

/**
 * The slots of a pool, for requests that come when they like.
 * @param most how many there are; asked anew whenever one is free
 */
export function createSlots(most: () => number): Slots {
  const waiting = new Set<() => void>()
  let taken = 0

  const lend = () => {
    for (const go of waiting) {
      if (taken >= most()) return
      waiting.delete(go)
      taken++
      go()
    }
  }
  const free = (signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        waiting.delete(go)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      waiting.add(go)
      lend()
    })

  return (ask, drain) => async (request, signal, watch) => {
    // Nearly always there is one.
    if (waiting.size === 0 && taken < most()) taken++
    else await underBoth(drain, signal, free)
    try {
      return await ask(request, signal, watch)
    } finally {
      taken--
      lend()
    }
  }
}
