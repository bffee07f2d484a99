/**
 * A rate limit as we believe it to be: a token bucket that the service refills continuously. Amounts are requests or
 * tokens, times monotonic milliseconds. The level may be below zero: output is charged after the fact.
 */
export interface Bucket {
  readonly perMinute: number
  /** The most it can hold; what a minute allows may be enforced over a second, so it starts as that. */
  readonly capacity: number
  readonly level: number
  readonly at: number
  /** All corrections so far, added up: what was believed before one of them is wrong by it too. */
  readonly shift: number
  /** What others take out of it, as far as corrections have shown it: per millisecond. */
  readonly others: number
  /** When a response last told the level. */
  readonly toldAt: number
  /** By so much the service rounds what it tells of the level, either way. */
  readonly grain: number
}

/** A bucket of which nothing is known but its rate: it holds a second's worth, as the strictest services have it. */
export function newBucket(perMinute: number, grain: number, now: number): Bucket {
  const capacity = Math.max(1, perMinute / 60)
  return { perMinute, capacity, level: capacity, at: now, shift: 0, others: 0, toldAt: now, grain }
}

/** One of which a response has just told the level. */
export function toldBucket(perMinute: number, grain: number, remaining: number, now: number): Bucket {
  const level = Math.max(0, remaining - grain)
  const capacity = Math.max(1, perMinute / 60, level)
  return { perMinute, capacity, level, at: now, shift: 0, others: 0, toldAt: now, grain }
}

export function refilled(bucket: Bucket, now: number): Bucket {
  const gained = (now - bucket.at) * netPerMs(bucket)
  return { ...bucket, level: Math.min(bucket.capacity + marginOf(bucket), bucket.level + gained), at: now }
}

export function spent(bucket: Bucket, amount: number): Bucket {
  // What it seemed to hold beyond its capacity was only there to make a full one wait.
  return { ...bucket, level: Math.min(bucket.capacity, bucket.level) - amount }
}

/**
 * Milliseconds until so much may be taken, beside a margin; 0 is now. What is larger than the whole bucket waits for a
 * full one and then goes alone, rather than wait for ever.
 */
export function waitFor(bucket: Bucket, amount: number): number {
  const missing = Math.min(amount, bucket.capacity) + marginOf(bucket) - bucket.level
  return missing <= 1e-9 ? 0 : missing / netPerMs(bucket)
}

/**
 * What stays in the bucket for the time a request is under way. A full one is believed to hold that much more, so that
 * the margin delays, but never keeps out what needs all of it.
 */
function marginOf({ capacity, perMinute, others, grain }: Bucket): number {
  return Math.min(capacity / 4, (perMinute / 60_000) * marginMs + others * othersMs + grain)
}

/** What comes in, less what others take out; they are never believed to take all. */
function netPerMs({ perMinute, others }: Bucket): number {
  return perMinute / 60_000 - others
}

/** By so much two requests may overtake each other on the way, or our clock and the service's differ: milliseconds. */
const marginMs = 60
/** What others take is told so late, and comes so unevenly: milliseconds. */
const othersMs = 300

/**
 * What a response says is left, against what we believed. `remaining` is rounded, so the truth lies around it. Whether
 * it was counted when the request came or when the answer went is not documented, so it is held against our belief at
 * both times, and the smaller of the two corrections is made.
 * @param then the bucket right after that request was sent
 */
export function corrected(bucket: Bucket, remaining: number, then: Bucket): Bucket {
  // What is overdrawn is told as nothing left.
  const low = remaining === 0 ? Number.NEGATIVE_INFINITY : Math.max(0, remaining - bucket.grain)
  // Whole requests are rounded down.
  const high = remaining + (bucket.grain === 0 ? 0.999 : bucket.grain)
  const off = (level: number) => (level < low ? low - level : level > high ? high - level : 0)
  const atSending = off(then.level + bucket.shift - then.shift)
  const now = off(bucket.level)
  const correction = Math.abs(atSending) < Math.abs(now) ? atSending : now
  return {
    ...bucket,
    others: othersAfter(bucket, correction),
    toldAt: bucket.at,
    level: bucket.level + correction,
    shift: bucket.shift + correction,
    capacity: Math.max(bucket.capacity, low),
  }
}

/**
 * What is missing again and again, somebody else takes; what is there again, nobody does. Learned slowly against a
 * single surprise, and within seconds against a steady one.
 */
function othersAfter({ others, perMinute, at, toldAt }: Bucket, correction: number): number {
  const missing = -correction / Math.max(20, at - toldAt)
  return Math.min((perMinute / 60_000) * 0.95, Math.max(0, others + learning * missing))
}

const learning = 0.05
