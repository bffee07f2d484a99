/**
 * An estimate of one rate limit: a token bucket that the API refills continuously. Amounts are requests or
 * tokens; times are monotonic milliseconds.
 *
 * Others may use the same limit. Each withdrawal is assumed to stand for theirs too: a run with a quarter of the limit
 * takes out four times its amount, for itself and for what the others send until it sends again. The level may be
 * negative, because of that, and because output is counted afterwards.
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
  /** The estimated part of the limit that this run uses: 1 if it is alone. */
  readonly share: number
  /** How many runs like this one are expected to share the limit, this one included. */
  readonly sharers: number
  /** The last withdrawal: the own amount, and what was taken out for others. */
  readonly last: { readonly amount: number; readonly forOthers: number; readonly at: number }
  /**
   * The sum of all corrections so far, minus what did not fit into the full bucket. An estimate of an earlier level is
   * wrong by the same amount.
   */
  readonly totalCorrection: number
  /** When the bucket was full last. An estimate that was too low before that has been right since. */
  readonly fullAt: number
  /** When a response header last corrected the level. */
  readonly lastHeaderAt: number
  /** The largest rounding error of the level in the headers, up or down. */
  readonly rounding: number
}

/** What is known about a limit before its first use. */
export interface BucketSettings extends Pick<TokenBucket, 'perMinute' | 'rounding' | 'sharers'> {
  /**
   * The part of the sharers that send before this run, 0 to 1. It differs between runs, so that those that start in
   * the same second do not send at the same time. Only for requests: 0 for tokens, whose amounts are not known yet.
   */
  readonly phase: number
}

/** Returns a bucket of which only the rate is known. Its capacity is the amount of one second, a strict assumption. */
export function createBucket(settings: BucketSettings, now: number): TokenBucket {
  return createBucketFromHeader(settings, Math.max(1, settings.perMinute / 60) + settings.rounding, now)
}

/** Returns a bucket with the level of a response header. All that are expected to share it are assumed to run. */
export function createBucketFromHeader(
  { perMinute, rounding, sharers, phase }: BucketSettings,
  remaining: number,
  now: number,
): TokenBucket {
  const level = Math.max(0, remaining - rounding)
  return {
    perMinute,
    rounding,
    sharers,
    share: 1 / sharers,
    capacity: Math.max(1, perMinute / 60, level),
    level: level - phase * (sharers - 1),
    updatedAt: now,
    last: { amount: 0, forOthers: 0, at: now },
    totalCorrection: 0,
    fullAt: Number.NEGATIVE_INFINITY,
    lastHeaderAt: now,
  }
}

export function refillBucket(bucket: TokenBucket, now: number): TokenBucket {
  const level = bucket.level + (now - bucket.updatedAt) * computeRate(bucket)
  return limitLevel({ ...bucket, level, updatedAt: now }, computeFullLevel(bucket) + computeMargin(bucket))
}

/** Returns the bucket without this amount, and without what others are assumed to take out in the meantime. */
export function withdraw(bucket: TokenBucket, amount: number): TokenBucket {
  // A level beyond that of a full bucket exists only for the margin; see `computeMargin`.
  const { level, ...rest } = limitLevel(bucket, computeFullLevel(bucket))
  const forOthers = amount / bucket.share - amount
  return { ...rest, level: level - amount - forOthers, last: { amount, forOthers, at: bucket.updatedAt } }
}

/** Returns the bucket after a request turned out to need this much more than was withdrawn for it; less, if negative. */
export function withdrawMore(bucket: TokenBucket, amount: number): TokenBucket {
  return { ...bucket, level: bucket.level - amount / bucket.share }
}

/**
 * Returns the milliseconds until this amount and a margin are available; 0 is now. An amount that is larger
 * than the bucket waits only until the bucket is full.
 */
export function computeWaitMs(bucket: TokenBucket, amount: number): number {
  // Half of what others take out: from one withdrawal to the next, the level is then right on average. So a run that has
  // a small share sends rarely, but does not wait for a fuller bucket than others do.
  const needed = amount + (amount / bucket.share - amount) / 2
  const missing = Math.min(computeFullLevel(bucket), needed) + computeMargin(bucket) - bucket.level
  return missing <= 1e-9 ? 0 : missing / computeRate(bucket)
}

/** Returns the bucket with at most this level. What does not fit is lost. */
function limitLevel(bucket: TokenBucket, highest: number): TokenBucket {
  const lost = bucket.level - highest
  if (lost <= 0) return bucket
  const totalCorrection = bucket.totalCorrection - lost
  return { ...bucket, level: highest, totalCorrection, fullAt: bucket.updatedAt }
}

/**
 * Returns the level of a full bucket. It is above the capacity where a withdrawal, with half of that for others, is larger:
 * many others may share a small bucket.
 */
function computeFullLevel({ capacity, last }: TokenBucket): number {
  return Math.max(capacity, Math.min(capacity, last.amount) + last.forOthers / 2)
}

/**
 * Returns the safety margin: the amount that stays in the bucket when a request is sent. A bucket fills up to
 * its capacity plus this margin. Otherwise, a request that needs the whole capacity would never be sent.
 */
function computeMargin(bucket: TokenBucket): number {
  const others = 1 - bucket.share
  const margin = computeRate(bucket) * (marginMs + others * othersMarginMs) + bucket.rounding
  return Math.min(((1 + others) * bucket.capacity) / 4, margin)
}

/** Returns the refill rate: per millisecond. */
function computeRate({ perMinute }: TokenBucket): number {
  return perMinute / 60_000
}

/** Safety margin for requests that overtake each other, and for clocks that differ: milliseconds. */
const marginMs = 60
/** Safety margin if others use the whole limit, which is reported late and comes in bursts: milliseconds. */
const othersMarginMs = 1000

/**
 * Returns a bucket whose level is corrected by a response header. `remaining` is rounded, so the true level
 * is in a range around it. The API does not document whether `remaining` is from the start or the end of the
 * request. So it is compared with the estimates at both times, and the smaller correction is made.
 * @param remaining the level in the response header
 * @param atSend the bucket right after the request was sent
 */
export function reconcileBucket(bucket: TokenBucket, remaining: number, atSend: TokenBucket): TokenBucket {
  // The API reports a negative level as 0.
  const low = remaining === 0 ? Number.NEGATIVE_INFINITY : Math.max(0, remaining - bucket.rounding)
  // Requests are rounded down to whole ones.
  const high = remaining + (bucket.rounding === 0 ? 0.999 : bucket.rounding)
  const computeDeviation = (level: number) => (level < low ? low - level : level > high ? high - level : 0)
  const expectedAtSend = computeExpectedLevel(atSend)
  const correctionSinceSend = bucket.totalCorrection - atSend.totalCorrection
  const uncorrected = computeDeviation(expectedAtSend + correctionSinceSend)
  // If the estimate was too low before the bucket was full, it is right since then.
  const deviationAtSend = bucket.fullAt > atSend.updatedAt ? Math.min(0, uncorrected) : uncorrected
  const deviationNow = computeDeviation(computeExpectedLevel(bucket))
  const isFromSend = Math.abs(deviationAtSend) < Math.abs(deviationNow)
  const correction = isFromSend ? deviationAtSend : deviationNow
  const capacity = Math.max(bucket.capacity, low)
  // What was not expected when the request was sent shows what others do, although it may have been corrected since.
  const surprise = isFromSend ? computeDeviation(expectedAtSend) : deviationNow
  return limitLevel(
    {
      ...bucket,
      capacity,
      level: bucket.level + correction,
      totalCorrection: bucket.totalCorrection + correction,
      share: learnShare(bucket, surprise, remaining >= 0.9 * capacity, bucket.updatedAt - atSend.updatedAt),
      lastHeaderAt: bucket.updatedAt,
    },
    computeFullLevel({ ...bucket, capacity }) + computeMargin(bucket),
  )
}

/**
 * Returns the level that the API is expected to have. A withdrawal takes out what others will take out over time, so the
 * level is too low after it, and too high before the next one.
 */
function computeExpectedLevel({ level, share, last, updatedAt, perMinute }: TokenBucket): number {
  const byOthers = ((updatedAt - last.at) * (1 - share) * perMinute) / 60_000
  return level + last.forOthers / 2 - Math.min(last.forOthers, byOthers)
}

/**
 * Returns the new estimate of the share: it falls if the level is lower than expected, and rises if it is higher. One
 * header changes it little, those of a few latencies much.
 *
 * Runs that share a limit see the same levels. If some is missing, each gives up a part of what it has; if some is left,
 * all take the same amount. So their shares become equal, as those of TCP connections do (AIMD).
 * @param surprise the level minus the expected level
 * @param isFull the bucket is nearly full, so what is left is unknown, and the share may rise as fast as in a slow start
 * @param latencyMs between the request and the header
 * @see https://doi.org/10.1016/0169-7552(89)90019-6 Chiu and Jain, 1989
 */
function learnShare(bucket: TokenBucket, surprise: number, isFull: boolean, latencyMs: number): number {
  const { share, sharers, updatedAt, lastHeaderAt } = bucket
  // A run that sends more reads more headers. Changes per time, not per header, keep that from being an advantage.
  const sinceHeaderMs = updatedAt - lastHeaderAt
  const reactionMs = Math.max(20, latencyMs) + sinceHeaderMs
  const isRising = surprise > 0
  const part = isRising ? 1 / sharers + (isFull ? 3 * share : 0) : share
  const expectedIn = computeRate(bucket) * (isRising && isFull ? Math.max(20, latencyMs) : reactionMs)
  const change = Math.max(-1, Math.min(1, surprise / expectedIn)) * part * (sinceHeaderMs / reactionMs)
  return Math.min(1, Math.max(0.05 / sharers, share + learningRate * change))
}

const learningRate = 0.35
