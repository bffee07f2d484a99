import { describe, expect, it } from 'vitest'
import { zeroUsage } from '../../../src/core/pricing/usage.ts'
import {
  createLimiterState,
  estimateDemand,
  findLongestWait,
  type LimiterState,
  recordResponse,
  recordSend,
  type SendSnapshot,
} from '../../../src/core/rate-limit/limiter-state.ts'

/** 1,000 output tokens per second, of which the rate limiter holds back the amount of 250 ms. */
const given = { outputTokens: 60_000 }
const start = () => createLimiterState(given, 2.5, 0)

/** The state after `count` requests were sent at the same instant, of 300 expected output tokens each. */
function afterSending(
  count: number,
  state: LimiterState = start(),
): { state: LimiterState; sent: SendSnapshot[] } {
  const sent: SendSnapshot[] = []
  for (let n = 0; n < count; n++) {
    const after = recordSend(state, estimateDemand(state, 100, 1024), 100, 0)
    state = after.state
    sent.push(after.sent)
  }
  return { state, sent }
}

const waitOf = (state: LimiterState) => findLongestWait(state, estimateDemand(state, 100, 1024), 0)

describe('the output token limit', () => {
  it('lets requests out while half of the expected output of those in flight fits', () => {
    expect(waitOf(afterSending(4).state)).toEqual({ ms: 0 })
    const { ms, limit } = waitOf(afterSending(5).state)
    expect(limit).toBe('outputTokens')
    // Half of the expected output of five requests is 750 tokens, and the next request needs 1. 750 are
    // available now; one more is added per millisecond.
    expect(ms).toBeCloseTo(1)
  })

  it('expects no more output from a request than its max_tokens', () => {
    expect(estimateDemand(start(), 100, 1024).outputTokens).toBe(300)
    expect(estimateDemand(start(), 100, 50).outputTokens).toBe(50)
  })

  it('frees the reservation of a request that got no reply, and charges nothing for it', () => {
    const { state, sent } = afterSending(5)
    const after = sent.reduce((state, one) => recordResponse(state, one, {}, 0), state)
    expect(after.pendingOutputTokens).toBe(0)
    expect(waitOf(after)).toEqual({ ms: 0 })
    expect(after.buckets.outputTokens?.level).toBe(1000)
  })

  it('charges the actual output instead of the expected output', () => {
    const { state, sent } = afterSending(5)
    const usage = { ...zeroUsage, input_tokens: 40, output_tokens: 100 }
    const after = sent.reduce((state, one) => recordResponse(state, one, { usage }, 0), state)
    expect(after.pendingOutputTokens).toBe(0)
    expect(after.buckets.outputTokens?.level).toBe(500)
    expect(estimateDemand(after, 100, 1024).outputTokens).toBe(100)
  })
})
