const baseMs = 1_000
const maxMs = 60_000
/** Full jitter can be almost 0; this minimum avoids retries in a tight loop. */
const minMs = 50

/**
 * Returns how long to wait before a retry, in milliseconds: exponential backoff with full jitter, at most a
 * minute.
 * @param failures how often the request has failed so far, from 1
 * @param random a number from 0 to 1
 * @see https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export function computeBackoffMs(failures: number, random: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** (failures - 1))
  return Math.max(minMs, Math.round(random * ceiling))
}
