/** More in flight than this gains nothing on one machine and costs sockets. */
export const largestPool = 256

/**
 * How many requests to keep in flight so that the rate limit is used and not saturated: by Little's law the requests
 * under way are the rate times the time each takes. 60 a minute at 3 seconds need 3.
 * @param rpm requests per minute
 * @param latency seconds per request
 */
export function poolSize(rpm: number, latency: number): number {
  // The quotient of exact inputs can come out a hair above a whole number (e.g. 1200 / 60 × 0.15).
  const needed = Math.ceil(Number(((rpm / 60) * latency).toFixed(9)))
  return Math.min(largestPool, Math.max(1, needed))
}
