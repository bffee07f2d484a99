const firstMs = 1_000
const longestMs = 60_000
/** Full jitter may choose almost nothing; this keeps a retry from being a spin. */
const shortestMs = 50

/**
 * How long to wait before sending again: exponential with full jitter, never beyond a minute.
 * @param failures how often it has failed so far, from 1
 * @param random a number from 0 to 1
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function backoffMs(failures: number, random: number): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** (failures - 1))
  return Math.max(shortestMs, Math.round(random * ceiling))
}
