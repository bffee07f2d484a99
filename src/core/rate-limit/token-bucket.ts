/**
 * A rate limit as we believe it to be: a token bucket that the service refills continuously. Amounts are requests or
 * tokens, times monotonic milliseconds. The level may be below zero: output is charged after the fact.
 */
export interface TokenBucket {
  readonly perMinute: number
  /** The most it can hold; what a minute allows may be enforced over a second, so it starts as that. */
  readonly capacity: number
  readonly level: number
  readonly updatedAt: number
  /** All corrections so far, added up: what was believed before one of them is wrong by it too. */
  readonly totalCorrection: number
  /** What others take out of it, as far as corrections have shown it: per millisecond. */
  readonly externalRate: number
  /** When a response last told the level. */
  readonly lastHeaderAt: number
  /** By so much the service rounds what it tells of the level, either way. */
  readonly rounding: number
}

/** A bucket of which nothing is known but its rate: it holds a second's worth, as the strictest services have it. */
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

/** A bucket whose level a response header has just shown. */
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
  // What it seemed to hold beyond its capacity was only there to make a full one wait.
  return { ...bucket, level: Math.min(bucket.capacity, bucket.level) - amount }
}

/**
 * Returns the milliseconds until this amount and a margin are available; 0 is now. What is larger than the whole bucket waits for a
 * full one and then goes alone, rather than wait for ever.
 */
export function computeWaitMs(bucket: TokenBucket, amount: number): number {
  const missing = Math.min(amount, bucket.capacity) + computeMargin(bucket) - bucket.level
  return missing <= 1e-9 ? 0 : missing / computeNetRate(bucket)
}

/**
 * What stays in the bucket for the time a request is under way. A full one is believed to hold that much more, so that
 * the margin delays, but never keeps out what needs all of it.
 */
function computeMargin({ capacity, perMinute, externalRate, rounding }: TokenBucket): number {
  return Math.min(capacity / 4, (perMinute / 60_000) * marginMs + externalRate * externalMarginMs + rounding)
}

/** What comes in, less what others take out; they are never believed to take all. */
function computeNetRate({ perMinute, externalRate }: TokenBucket): number {
  return perMinute / 60_000 - externalRate
}

/** By so much two requests may overtake each other on the way, or our clock and the service's differ: milliseconds. */
const marginMs = 60
/** What others take is told so late, and comes so unevenly: milliseconds. */
const externalMarginMs = 300

/**
 * What a response says is left, against what we believed. `remaining` is rounded, so the truth lies around it. Whether
 * it was counted when the request came or when the answer went is not documented, so it is held against our belief at
 * both times, and the smaller of the two corrections is made.
 * @param bucketAtSend the bucket right after that request was sent
 */
export function reconcileBucket(
  bucket: TokenBucket,
  remaining: number,
  bucketAtSend: TokenBucket,
): TokenBucket {
  // What is overdrawn is told as nothing left.
  const low = remaining === 0 ? Number.NEGATIVE_INFINITY : Math.max(0, remaining - bucket.rounding)
  // Whole requests are rounded down.
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
 * What is missing again and again, somebody else takes; what is there again, nobody does. Learned slowly against a
 * single surprise, and within seconds against a steady one.
 */
function updateExternalRate(
  { externalRate, perMinute, updatedAt, lastHeaderAt }: TokenBucket,
  correction: number,
): number {
  const missing = -correction / Math.max(20, updatedAt - lastHeaderAt)
  return Math.min((perMinute / 60_000) * 0.95, Math.max(0, externalRate + learningRate * missing))
}

const learningRate = 0.05
