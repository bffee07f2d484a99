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
}

/**
 * Returns a bucket of which only the rate is known. Its capacity is the amount of one second, a strict
 * assumption.
 */
export function createBucket(perMinute: number, rounding: number, now: number): TokenBucket {
  const capacity = Math.max(1, perMinute / 60)
  return {
    perMinute,
    capacity,
    level: capacity,
    updatedAt: now,
    totalCorrection: 0,
    externalRate: 0,
    lastHeaderAt: now,
    rounding,
  }
}

/** Returns a bucket with the level of a response header. */
export function createBucketFromHeader(
  perMinute: number,
  rounding: number,
  remaining: number,
  now: number,
): TokenBucket {
  const level = Math.max(0, remaining - rounding)
  const capacity = Math.max(1, perMinute / 60, level)
  return {
    perMinute,
    capacity,
    level,
    updatedAt: now,
    totalCorrection: 0,
    externalRate: 0,
    lastHeaderAt: now,
    rounding,
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
 */
function updateExternalRate(
  { externalRate, perMinute, updatedAt, lastHeaderAt }: TokenBucket,
  correction: number,
): number {
  const missing = -correction / Math.max(20, updatedAt - lastHeaderAt)
  return Math.min((perMinute / 60_000) * 0.95, Math.max(0, externalRate + learningRate * missing))
}

const learningRate = 0.05
