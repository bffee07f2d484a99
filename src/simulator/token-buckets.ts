/** A token bucket: filled continuously up to its capacity. Output may drive the level below zero. */
export interface Bucket {
  readonly perMinute: number
  readonly capacity: number
  readonly level: number
  /** When the level was right: monotonic milliseconds. */
  readonly updatedAt: number
}

/** @param burst the capacity as a share of one minute's allowance */
export function createFullBucket(perMinute: number, burst: number, now: number): Bucket {
  const capacity = Math.max(1, perMinute * burst)
  return { perMinute, capacity, level: capacity, updatedAt: now }
}

export function refill(bucket: Bucket, now: number): Bucket {
  const gained = ((now - bucket.updatedAt) / 60_000) * bucket.perMinute
  return { ...bucket, level: Math.min(bucket.capacity, bucket.level + Math.max(0, gained)), updatedAt: now }
}

export function withdraw(bucket: Bucket, amount: number): Bucket {
  return { ...bucket, level: bucket.level - amount }
}

/**
 * Milliseconds until so much may be taken; 0 is now. More than the whole capacity passes when the bucket is full, as
 * the service lets a single large request through.
 */
export function computeWaitMs(bucket: Bucket, amount: number): number {
  const missing = Math.min(amount, bucket.capacity) - bucket.level
  return missing <= 1e-9 ? 0 : (missing / bucket.perMinute) * 60_000
}

/** Milliseconds until it is full again: what the `…-reset` headers tell. */
export function computeMsUntilFull(bucket: Bucket): number {
  return ((bucket.capacity - bucket.level) / bucket.perMinute) * 60_000
}
