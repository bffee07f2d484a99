/** How many requests may be in flight at the same time (AIMD). */
export interface ConcurrencyLimit {
  /** The limit. It may be fractional, because a reply can raise it by less than one request. */
  readonly value: number
  readonly max: number
  /**
   * Before the first overload, each reply raises the limit by 1, which doubles it per round trip. After that,
   * each reply raises it by 0.25.
   */
  readonly wasOverloaded: boolean
  /** Until this time (monotonic ms), a further overload belongs to the same episode. */
  readonly cooldownUntil: number
}

export function createConcurrencyLimit(initial: number, max: number): ConcurrencyLimit {
  return { value: Math.min(initial, max), max, wasOverloaded: false, cooldownUntil: 0 }
}

/** Returns how many requests may be in flight: a whole number, at least 1. */
export function roundDownLimit({ value }: ConcurrencyLimit): number {
  return Math.max(1, Math.floor(value))
}

/**
 * Returns the limit after a reply. It grows only if requests waited for it: while they wait for the rate
 * limit, more requests in flight gain nothing.
 * @param isConcurrencyBound the request did not wait for the rate limit
 */
export function increaseLimit(limit: ConcurrencyLimit, isConcurrencyBound: boolean): ConcurrencyLimit {
  if (!isConcurrencyBound) return limit
  return { ...limit, value: Math.min(limit.max, limit.value + (limit.wasOverloaded ? 0.25 : 1)) }
}

/**
 * Returns the limit after a sign of overload. It shrinks once per episode, because requests in flight meet
 * the same overload.
 * @param factor of the new limit to the old one
 * @param now monotonic milliseconds
 * @param latencyMs how long requests in flight may still meet the same overload: milliseconds
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
