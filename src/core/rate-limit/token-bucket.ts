/**
 * An estimate of one rate limit: a token bucket that the API refills continuously. Amounts are requests or
 * tokens; times are monotonic milliseconds. The level may be negative, because output is counted afterwards.
 */
export interface TokenBucket {
  readonly perMinute: number
  /**
   * The largest level. It starts with the amount of one second, because the API may enforce a limit per
   * second.
   */
  readonly capacity: number
  readonly level: number
  readonly updatedAt: number
  /** The sum of all corrections so far. Levels from before a correction are wrong by the same amount. */
  readonly totalCorrection: number
  /** Usage by other clients of the account, as far as corrections have shown it: per millisecond. */
  readonly externalRate: number
  /** When a response header last corrected the level. */
  readonly lastHeaderAt: number
  /** The largest rounding error of the level in the headers, up or down. */
  readonly rounding: number
  /** How many runs like this one are expected to share the limit, this one included. */
  readonly sharers: number
}

/** What is known about a limit before its first use. */
export type BucketSettings = Pick<TokenBucket, 'perMinute' | 'rounding' | 'sharers'>

/**
 * Returns a bucket of which only the rate is known. Its capacity is the amount of one second, a strict
 * assumption. If others share it, its level is this run's part of that: they may all start in the same second.
 */
export function createBucket(settings: BucketSettings, now: number): TokenBucket {
  const capacity = Math.max(1, settings.perMinute / 60)
  const bucket = createBucketAt(capacity, settings, now)
  const part = Math.max(1, capacity / settings.sharers)
  return { ...bucket, level: Math.min(capacity, computeMargin(bucket) + part) }
}

/** Returns a bucket with the level of a response header. */
export function createBucketFromHeader(
  settings: BucketSettings,
  remaining: number,
  now: number,
): TokenBucket {
  return createBucketAt(Math.max(0, remaining - settings.rounding), settings, now)
}

/** Returns a bucket with a level. The others are assumed to use their parts of the limit. */
function createBucketAt(level: number, settings: BucketSettings, now: number): TokenBucket {
  const { perMinute, sharers } = settings
  return {
    ...settings,
    capacity: Math.max(1, perMinute / 60, level),
    level,
    updatedAt: now,
    totalCorrection: 0,
    externalRate: (perMinute / 60_000) * (1 - 1 / sharers),
    lastHeaderAt: now,
  }
}

export function refillBucket(bucket: TokenBucket, now: number): TokenBucket {
  const gained = (now - bucket.updatedAt) * computeNetRate(bucket)
  return {
    ...bucket,
    level: Math.min(bucket.capacity + computeMargin(bucket), bucket.level + gained),
    updatedAt: now,
  }
}

export function withdraw(bucket: TokenBucket, amount: number): TokenBucket {
  // The level beyond the capacity exists only for the margin; see `computeMargin`.
  return { ...bucket, level: Math.min(bucket.capacity, bucket.level) - amount }
}

/**
 * Returns the milliseconds until this amount and a margin are available; 0 is now. An amount that is larger
 * than the bucket waits only until the bucket is full.
 */
export function computeWaitMs(bucket: TokenBucket, amount: number): number {
  const missing = Math.min(amount, bucket.capacity) + computeMargin(bucket) - bucket.level
  return missing <= 1e-9 ? 0 : missing / computeNetRate(bucket)
}

/**
 * Returns the safety margin: the amount that stays in the bucket when a request is sent. A bucket fills up to
 * its capacity plus this margin. Otherwise, a request that needs the whole capacity would never be sent.
 */
function computeMargin({ capacity, perMinute, externalRate, rounding }: TokenBucket): number {
  return Math.min(capacity / 4, (perMinute / 60_000) * marginMs + externalRate * externalMarginMs + rounding)
}

/** Returns the refill rate minus the usage by others: per millisecond, always positive. */
function computeNetRate({ perMinute, externalRate }: TokenBucket): number {
  return perMinute / 60_000 - externalRate
}

/** Safety margin for requests that overtake each other, and for clocks that differ: milliseconds. */
const marginMs = 60
/** Safety margin for usage by others, which is reported late and comes in bursts: milliseconds. */
const externalMarginMs = 300

/**
 * Returns a bucket whose level is corrected by a response header. `remaining` is rounded, so the true level
 * is in a range around it. The API does not document whether `remaining` is from the start or the end of the
 * request. So it is compared with the estimates at both times, and the smaller correction is made.
 * @param remaining the level in the response header
 * @param bucketAtSend the bucket right after the request was sent
 */
export function reconcileBucket(
  bucket: TokenBucket,
  remaining: number,
  bucketAtSend: TokenBucket,
): TokenBucket {
  // The API reports a negative level as 0.
  const low = remaining === 0 ? Number.NEGATIVE_INFINITY : Math.max(0, remaining - bucket.rounding)
  // Requests are rounded down to whole ones.
  const high = remaining + (bucket.rounding === 0 ? 0.999 : bucket.rounding)
  const computeDeviation = (level: number) => (level < low ? low - level : level > high ? high - level : 0)
  const deviationAtSend = computeDeviation(
    bucketAtSend.level + bucket.totalCorrection - bucketAtSend.totalCorrection,
  )
  const deviationNow = computeDeviation(bucket.level)
  const correction = Math.abs(deviationAtSend) < Math.abs(deviationNow) ? deviationAtSend : deviationNow
  return {
    ...bucket,
    externalRate: updateExternalRate(bucket, correction),
    lastHeaderAt: bucket.updatedAt,
    level: bucket.level + correction,
    totalCorrection: bucket.totalCorrection + correction,
    capacity: Math.max(bucket.capacity, low),
  }
}

/**
 * Returns the new estimate of usage by others: it rises if the level is lower than expected, and falls if it
 * is higher. A single correction changes it little, repeated ones within seconds.
 *
 * Runs that share a limit see the same corrections. If tokens are missing, each gives up a part of what it has; if
 * some are left, all take the same amount. So their shares become equal, as those of TCP connections do (AIMD).
 * @see https://doi.org/10.1016/0169-7552(89)90019-6 Chiu and Jain, 1989
 */
function updateExternalRate(
  { externalRate, perMinute, updatedAt, lastHeaderAt, sharers }: TokenBucket,
  correction: number,
): number {
  const rate = perMinute / 60_000
  const missing = -correction / Math.max(20, updatedAt - lastHeaderAt)
  const ownShare = 1 - externalRate / rate
  const part = sharers === 1 ? 1 : (missing > 0 ? ownShare : 1 / sharers) / 2
  return Math.min(rate * 0.95, Math.max(0, externalRate + learningRate * part * missing))
}

const learningRate = 0.05
