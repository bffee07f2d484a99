/** How far a run is. */
interface RunProgress {
  /** Finished documents. */
  readonly done: number
  readonly total: number
  /** Milliseconds since the run started. */
  readonly elapsedMs: number
}

/** Estimates how long a run will still take. */
export interface RemainingTime {
  /**
   * Records the end of a request.
   * @param latencyMs how long it took
   * @param inFlight the number of requests in flight until then
   */
  recordRequest(latencyMs: number, inFlight: number): void
  /**
   * Returns the remaining milliseconds, or undefined as long as nothing is known.
   * @param maxRequestRate the requests per minute that the rate limits allow
   */
  estimateMs(progress: RunProgress, maxRequestRate?: number): number | undefined
}

/**
 * Creates an estimate of the remaining time. In the first minute, the number of finished documents says little:
 * the first replies arrive together, after a whole latency. So the rate is computed by Little's law from the
 * requests in flight and their latency, and is at most what the rate limits allow: a run begins with a burst. Later,
 * it is that of the last minute.
 * @see https://en.wikipedia.org/wiki/Little%27s_law
 */
export function createRemainingTime(): RemainingTime {
  const latest: { readonly latencyMs: number; readonly inFlight: number }[] = []
  const samples: RunProgress[] = []
  let requests = 0

  /** Returns documents per millisecond. */
  const computeEarlyRate = ({ done }: RunProgress, maxRequestRate: number): number => {
    const latencySum = latest.reduce((sum, { latencyMs }) => sum + latencyMs, 0)
    const inFlightSum = latest.reduce((sum, { inFlight }) => sum + inFlight, 0)
    return Math.min(inFlightSum / latencySum, maxRequestRate / 60_000) * (done / requests)
  }
  const computeLatestRate = ({ done, elapsedMs }: RunProgress): number => {
    const [oldest = { done: 0, elapsedMs: 0 }] = samples
    return (done - oldest.done) / (elapsedMs - oldest.elapsedMs)
  }

  return {
    recordRequest(latencyMs, inFlight) {
      requests++
      latest.push({ latencyMs, inFlight })
      if (latest.length > maxLatest) latest.shift()
    },
    estimateMs(progress, maxRequestRate = Number.POSITIVE_INFINITY) {
      const { done, total, elapsedMs } = progress
      if (elapsedMs - (samples.at(-1)?.elapsedMs ?? Number.NEGATIVE_INFINITY) >= sampleEveryMs)
        samples.push(progress)
      while ((samples[1]?.elapsedMs ?? elapsedMs) < elapsedMs - windowMs) samples.shift()
      const rate =
        elapsedMs < windowMs && requests > 0
          ? computeEarlyRate(progress, maxRequestRate)
          : computeLatestRate(progress)
      return done > 0 && rate > 0 && Number.isFinite(rate) ? Math.max(0, total - done) / rate : undefined
    },
  }
}

/** Milliseconds: the time over which documents are counted. */
const windowMs = 60_000
const sampleEveryMs = 1000

/** The number of latest requests whose latency counts. */
const maxLatest = 50
