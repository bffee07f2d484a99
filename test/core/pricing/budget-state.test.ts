import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeWorstCaseCost } from '../../../src/core/pricing/budget-state.ts'
import { listPrice } from '../../../src/core/pricing/pricing-rules.ts'
import { zeroUsage } from '../../../src/core/pricing/usage.ts'
import { createRequest } from '../../support/scripted-ask.ts'

describe('computeWorstCaseCost', () => {
  it('is at least the cost of any reply, even in the most expensive region', () => {
    const flag = fc.boolean()
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1, max: 5000 }),
        flag,
        flag,
        (user, maxTokens, batch, us) => {
          const terms = { ...(batch && { batch: true as const }), ...(us && { usInference: true as const }) }
          const request = createRequest('a.md', { user, maxTokens })
          const usage = { ...zeroUsage, input_tokens: Buffer.byteLength(user), output_tokens: maxTokens }
          const cost = listPrice({ model: request.model, usage, terms }) ?? -1n
          expect(
            computeWorstCaseCost(request, listPrice, batch ? { batch: true } : {}),
          ).toBeGreaterThanOrEqual(cost)
        },
      ),
    )
  })

  it.each([
    [{}, 1100],
    [{ batch: true as const }, 550],
  ])('adds 10 % for the region under the billing terms %j', (terms, perThousand) => {
    const worstOf = (maxTokens: number) =>
      computeWorstCaseCost(createRequest('a.md', { maxTokens }), listPrice, terms) ?? -1n
    const token = listPrice({ model: 'claude-haiku-5-5', usage: { ...zeroUsage, output_tokens: 1 } }) ?? -1n
    expect(worstOf(2000) - worstOf(1000)).toBe(BigInt(perThousand) * token)
  })
})
