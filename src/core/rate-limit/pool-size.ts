/** More requests in flight gain nothing on one machine, and cost sockets. */
export const maxPoolSize = 256

/** Expected latency of a request before the first reply: seconds. */
export const defaultLatency = 3

/**
 * Returns how many requests in flight use the rate limit fully, but do not exceed it. By Little's law, this
 * is the rate times the latency: 60 requests per minute at 3 seconds need 3.
 * @param rpm requests per minute
 * @param latency seconds per request
 */
export function computePoolSize(rpm: number, latency: number): number {
  // Floating point may give slightly more than a whole number (e.g. 1200 / 60 × 0.15).
  const needed = Math.ceil(Number(((rpm / 60) * latency).toFixed(9)))
  return Math.min(maxPoolSize, Math.max(1, needed))
}

/** Requests in flight before the first reply. The API limits sharp increases (`ramp_limit_exceeded`). */
const slowStartLimits = { known: 8, unknown: 4 }

/** Returns the initial pool size from the user's limits, capped for a slow start. */
export function computeInitialPoolSize(rpm: number | undefined, latency: number): number {
  return rpm === undefined
    ? slowStartLimits.unknown
    : Math.min(slowStartLimits.known, computePoolSize(rpm, latency))
}
