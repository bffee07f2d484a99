/** How many requests may be under way at once, and how it came to that. */
export interface ConcurrencyLimit {
  /** The limit; a fraction counts toward the next whole request. */
  readonly value: number
  readonly max: number
  /** Before the first overload it doubles with every round of replies, afterwards it grows by a quarter. */
  readonly wasOverloaded: boolean
  /** Until then (monotonic ms) a further overload belongs to the same episode. */
  readonly cooldownUntil: number
}

export function createConcurrencyLimit(initial: number, max: number): ConcurrencyLimit {
  return { value: Math.min(initial, max), max, wasOverloaded: false, cooldownUntil: 0 }
}

/** Returns how many requests may be in flight. */
export function roundDownLimit({ value: size }: ConcurrencyLimit): number {
  return Math.max(1, Math.floor(size))
}

/**
 * After a reply. Slots are added only where they were what kept requests waiting: where the rate limit did, more of
 * them would gain nothing.
 * @param isConcurrencyBound the request had not waited for the rate limit
 */
export function increaseLimit(limit: ConcurrencyLimit, isConcurrencyBound: boolean): ConcurrencyLimit {
  if (!isConcurrencyBound) return limit
  return { ...limit, value: Math.min(limit.max, limit.value + (limit.wasOverloaded ? 0.25 : 1)) }
}

/**
 * After a sign of overload: once per episode, since whatever was under way meets it too.
 * @param factor the share that stays
 * @param latencyMs how long what is under way may still bring the same news
 */
export function decreaseLimit(
  limit: ConcurrencyLimit,
  factor: number,
  now: number,
  latencyMs: number,
): ConcurrencyLimit {
  if (now < limit.cooldownUntil) return limit
  return {
    ...limit,
    value: Math.max(1, limit.value * factor),
    wasOverloaded: true,
    cooldownUntil: now + latencyMs,
  }
}
