const baseMs = 1_000
const maxMs = 60_000
/** Full jitter may choose almost nothing; this keeps a retry from being a spin. */
const minMs = 50

/**
 * How long to wait before sending again: exponential with full jitter, never beyond a minute.
 * @param failures how often it has failed so far, from 1
 * @param random a number from 0 to 1
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function computeBackoffMs(failures: number, random: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** (failures - 1))
  return Math.max(minMs, Math.round(random * ceiling))
}
