/** How many requests may be under way at once, and how it came to that. */
export interface Window {
  /** A fraction counts toward the next whole slot. */
  readonly size: number
  readonly most: number
  /** Before the first overload it doubles with every round of replies, afterwards it grows by a quarter. */
  readonly overloaded: boolean
  /** Until then (monotonic ms) a further overload belongs to the same episode. */
  readonly sameUntil: number
}

export function newWindow(size: number, most: number): Window {
  return { size: Math.min(size, most), most, overloaded: false, sameUntil: 0 }
}

/** How many slots there are. */
export function slots({ size }: Window): number {
  return Math.max(1, Math.floor(size))
}

/**
 * After a reply. Slots are added only where they were what kept requests waiting: where the rate limit did, more of
 * them would gain nothing.
 * @param slotsWereBound the request had not waited for the rate limit
 */
export function grown(window: Window, slotsWereBound: boolean): Window {
  if (!slotsWereBound) return window
  return { ...window, size: Math.min(window.most, window.size + (window.overloaded ? 0.25 : 1)) }
}

/**
 * After a sign of overload: once per episode, since whatever was under way meets it too.
 * @param keep the share that stays
 * @param latencyMs how long what is under way may still bring the same news
 */
export function cut(window: Window, keep: number, now: number, latencyMs: number): Window {
  if (now < window.sameUntil) return window
  return { ...window, size: Math.max(1, window.size * keep), overloaded: true, sameUntil: now + latencyMs }
}
