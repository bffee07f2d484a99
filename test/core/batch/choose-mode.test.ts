import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ChooseModeOptions, chooseMode } from '../../../src/core/batch/choose-mode.ts'
import { usdToPicodollars } from '../../../src/core/pricing/pricing-rules.ts'

const minute = 60_000
const usd = (amount: number) => {
  const cost = usdToPicodollars(amount)
  return { low: cost, expected: cost, high: cost }
}
const options = (more: Partial<ChooseModeOptions> = {}): ChooseModeOptions => ({
  documents: 100,
  liveMs: 5 * minute,
  liveCost: usd(0.5),
  batchCost: usd(0.25),
  deadlineMs: undefined,
  ...more,
})

describe('chooseMode', () => {
  it.each([
    [
      'a cheap and short run',
      {},
      'live',
      /100 documents take about 5 min live, and a batch would save about \$0.25/,
    ],
    ['an expensive run', { liveCost: usd(10), batchCost: usd(5) }, 'batch', /saves about \$5.00/],
    ['a long run', { liveMs: 300 * minute }, 'batch', /a batch usually less than an hour/],
    ['an unknown price', { liveCost: undefined, batchCost: undefined }, 'live', /half of an unknown price/],
    [
      'a deadline that is too short for a batch',
      { liveMs: 300 * minute, deadlineMs: 30 * minute },
      'live',
      /too short for a batch/,
    ],
    [
      'a deadline that live requests can meet',
      { liveCost: usd(10), batchCost: usd(5), deadlineMs: 600 * minute },
      'live',
      /longer than the time limit/,
    ],
    [
      'a deadline that live requests cannot meet',
      { liveMs: 800 * minute, deadlineMs: 600 * minute },
      'batch',
      /as a batch/,
    ],
  ] as const)('chooses the better mode for %s', (_, more, via, why) => {
    const route = chooseMode(options(more))
    expect(route.mode).toBe(via)
    expect(route.reason).toMatch(why)
  })

  it('never switches from batch to live as a run grows, or chooses batch with under an hour left', () => {
    const amount = fc.double({ min: 0, max: 1000, noNaN: true })
    const ms = fc.integer({ min: 0, max: 3000 * minute })
    fc.assert(
      fc.property(
        amount,
        ms,
        fc.option(ms, { nil: undefined }),
        fc.double({ min: 1, max: 10, noNaN: true }),
        (cost, liveMs, deadlineMs, more) => {
          const at = (times: number) =>
            chooseMode(
              options({
                liveMs: liveMs * times,
                liveCost: usd(cost * times),
                batchCost: usd((cost * times) / 2),
                deadlineMs,
              }),
            ).mode
          if (at(1) === 'batch') expect(at(more)).toBe('batch')
          if (deadlineMs !== undefined && deadlineMs < 60 * minute) expect(at(more)).toBe('live')
        },
      ),
    )
  })
})
