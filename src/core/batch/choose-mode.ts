import type { EstimateRange } from '../estimate/estimate-cost.ts'
import { formatUsd, type Picodollars } from '../pricing/pricing-rules.ts'
import { formatDuration } from '../text/format-duration.ts'
import { pluralize } from '../text/format-number.ts'

/** The mode for the documents of a run, and the reason, for display. */
export interface ModeChoice {
  readonly mode: 'live' | 'batch'
  readonly reason: string
}

export interface ChooseModeOptions {
  readonly documents: number
  /** Estimated duration of a live run at the rate limits: milliseconds. */
  readonly liveMs: number
  /** Estimated cost of live requests; undefined if unknown, like `batchCost`. */
  readonly liveCost: EstimateRange<Picodollars> | undefined
  readonly batchCost: EstimateRange<Picodollars> | undefined
  /** When the run stops starting documents: milliseconds from now. */
  readonly deadlineMs: number | undefined
}

const hourMs = 3_600_000

/** Most batches end within this time; none takes longer than a day. */
const usualBatchMs = hourMs
const maxBatchMs = 24 * hourMs

/** Minimum savings for a batch, USD 1: less is not worth an hour's wait. */
const minSavings: Picodollars = 1_000_000_000_000n

/** Chooses between live requests and a batch at half the price, by duration, deadline and savings. */
export function chooseMode({
  documents,
  liveMs,
  liveCost,
  batchCost,
  deadlineMs,
}: ChooseModeOptions): ModeChoice {
  const documentCount = pluralize(documents, 'document')
  const liveDuration = `${documentCount} ${documents === 1 ? 'takes' : 'take'} about ${formatDuration(liveMs)} live`
  const savings =
    liveCost === undefined || batchCost === undefined ? undefined : liveCost.expected - batchCost.expected
  const savingsText = savings === undefined ? 'half of an unknown price' : `about ${formatUsd(savings)}`
  if (deadlineMs !== undefined && deadlineMs < usualBatchMs)
    return {
      mode: 'live',
      reason: `live: the time limit of ${formatDuration(deadlineMs)} is too short for a batch`,
    }
  if (deadlineMs !== undefined && deadlineMs < maxBatchMs && liveMs <= deadlineMs)
    return {
      mode: 'live',
      reason: `live: ${liveDuration}, and a batch may take a day, longer than the time limit`,
    }
  if (liveMs > usualBatchMs)
    return { mode: 'batch', reason: `as a batch: ${liveDuration}, and a batch usually less than an hour` }
  if (savings === undefined || savings < minSavings)
    return { mode: 'live', reason: `live: ${liveDuration}, and a batch would save ${savingsText}` }
  return { mode: 'batch', reason: `as a batch: it saves ${savingsText}; ${liveDuration}` }
}
