import type { Ask } from '../core/ask.ts'
import { createLine } from './line.ts'
import { underBoth } from './under-both.ts'

/** Lends a slot to each request from its first sending to its last; the others wait, first come, first served. */
export type Slots = (ask: Ask, drain: AbortSignal) => Ask

/**
 * The slots of a pool, for requests that come when they like.
 * @param most how many there are; asked anew whenever one is free
 */
export function createSlots(most: () => number): Slots {
  let taken = 0
  const line = createLine<void, true>(() => {
    if (taken >= most()) return undefined
    taken++
    return true
  })

  return (ask, drain) => async (request, signal, watch) => {
    // Nearly always there is one.
    if (line.length() === 0 && taken < most()) taken++
    else await underBoth(drain, signal, (either) => line.join(undefined, either))
    try {
      return await ask(request, signal, watch)
    } finally {
      taken--
      line.advance()
    }
  }
}
