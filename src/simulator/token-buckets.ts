/** A token bucket, refilled continuously up to its capacity. Output may make the level negative. */
export interface Bucket {
  readonly perMinute: number
  readonly capacity: number
  readonly level: number
  /** When the level was computed: monotonic milliseconds. */
  readonly updatedAt: number
}

/** Returns a full bucket. @param burst the capacity as a share of one minute's limit */
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
 * Returns the milliseconds until `amount` can be withdrawn; 0 for immediately. An amount above the capacity
 * passes when the bucket is full, because the API admits a single large request.
 */
export function computeWaitMs(bucket: Bucket, amount: number): number {
  const missing = Math.min(amount, bucket.capacity) - bucket.level
  return missing <= 1e-9 ? 0 : (missing / bucket.perMinute) * 60_000
}

/** Returns the milliseconds until the bucket is full, for the `…-reset` headers. */
export function computeMsUntilFull(bucket: Bucket): number {
  return ((bucket.capacity - bucket.level) / bucket.perMinute) * 60_000
}
