/** More in flight than this gains nothing on one machine and costs sockets. */
export const maxPoolSize = 256

/** What a request is expected to take before the first replies show it: seconds. */
export const defaultLatency = 3

/**
 * How many requests to keep in flight so that the rate limit is used and not saturated: by Little's law the requests
 * under way are the rate times the time each takes. 60 a minute at 3 seconds need 3.
 * @param rpm requests per minute
 * @param latency seconds per request
 */
export function computePoolSize(rpm: number, latency: number): number {
  // The quotient of exact inputs can come out a hair above a whole number (e.g. 1200 / 60 × 0.15).
  const needed = Math.ceil(Number(((rpm / 60) * latency).toFixed(9)))
  return Math.min(maxPoolSize, Math.max(1, needed))
}

/** A sharp rise is itself limited by the service (`ramp_limit_exceeded`): these many go out before the first reply. */
const slowStartLimits = { known: 8, unknown: 4 }

/** The initial pool size: what the user's limits suggest, capped for a slow start. */
export function computeInitialPoolSize(rpm: number | undefined, latency: number): number {
  return rpm === undefined
    ? slowStartLimits.unknown
    : Math.min(slowStartLimits.known, computePoolSize(rpm, latency))
}
