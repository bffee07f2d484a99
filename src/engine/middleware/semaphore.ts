import type { Ask } from '../../core/request/ask.ts'
import { underBoth } from '../with-any-signal.ts'
import { createLine, type Line } from './waiting-line.ts'

/** What may be in flight: a slot is held from a request's first attempt until its answer is safe. */
export interface Slots {
  /**
   * Does something with a slot, once there is one; first come, first served. Rejects with the reason of a signal that
   * aborts before, and as the work does.
   * @param drain aborted: no slot is lent any more, but the work goes on
   */
  hold<T>(drain: AbortSignal, signal: AbortSignal, work: () => Promise<T>): Promise<T>
  /** The same `Ask`, which holds a slot while it works. */
  lend(ask: Ask, drain: AbortSignal): Ask
  /**
   * For work that holds a slot: gives it to others during a wait that needs none, then queues for one again. Rejects as
   * the wait does, or with the reason of the signal.
   */
  aside(wait: () => Promise<void>, signal: AbortSignal): Promise<void>
  /** Adds a place, for a document that has to wait for itself, until what is returned is called. */
  morePlaces(): () => void
  /** How many slots there are now. */
  count(): number
  /** How many documents may be open: one for each slot, beside those that have to wait for themselves. */
  places(): number
  /** Calls back whenever there are more places, until what it returns is called. */
  onMorePlaces(listener: () => void): () => void
}

/** So many may wait for themselves without keeping others from being opened: what is open is in memory. */
const mostWaiting = 256

/** @param most how many slots there are; asked again whenever one is free */
export function createSlots(most: () => number): Slots {
  const listeners = new Set<() => void>()
  let [taken, more] = [0, 0]
  // Work that comes and work that comes again take turns: many documents in trouble do not keep a new one waiting.
  let turn: 'new' | 'again' = 'new'
  const take = (next: typeof turn) => {
    taken++
    turn = next
    return true as const
  }
  const coming: Line<void, true> = createLine(() =>
    taken >= most() || (turn === 'again' && again.length() > 0) ? undefined : take('again'),
  )
  const again: Line<void, true> = createLine(() =>
    taken >= most() || (turn === 'new' && coming.length() > 0) ? undefined : take('new'),
  )
  const free = () => {
    taken--
    for (let before = -1; before < taken; ) {
      before = taken
      coming.advance()
      again.advance()
    }
  }

  const hold: Slots['hold'] = async (drain, signal, work) => {
    // Nearly always there is one.
    if (coming.length() + again.length() === 0 && taken < most()) taken++
    else await underBoth(drain, signal, (either) => coming.join(undefined, either))
    try {
      return await work()
    } finally {
      free()
    }
  }

  return {
    hold,
    lend:
      (ask, drain) =>
      (...asked) =>
        hold(drain, asked[1], () => ask(...asked)),
    async aside(wait, signal) {
      free()
      try {
        await wait()
        await again.join(undefined, signal)
      } catch (error) {
        // Its holder gives it back, however the work ends.
        taken++
        throw error
      }
    },
    morePlaces() {
      more++
      for (const listener of listeners) listener()
      return () => more--
    },
    count: most,
    places: () => most() + Math.min(more, mostWaiting),
    onMorePlaces(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
