import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findRetirement, isSameModel } from '../../../src/core/pricing/models.ts'
import {
  createPriceOf,
  formatExactUsd,
  formatUsd,
  listPrice,
  parseBillingTerms,
} from '../../../src/core/pricing/pricing-rules.ts'
import { parseUsage, zeroUsage } from '../../../src/core/pricing/usage.ts'

describe('a price', () => {
  it.each([
    ['claude-haiku-5-5', { input_tokens: 1_000_000 / 10, output_tokens: 0 }, '0.01'],
    ['claude-haiku-5-5', { input_tokens: 100_001, output_tokens: 10 }, '0.0500255'],
    [
      'claude-haiku-5-5',
      { input_tokens: 60_000, cache_read_input_tokens: 50_000, output_tokens: 0 },
      '0.0325',
    ],
    ['claude-sonnet-5-5', { input_tokens: 1_000_000, output_tokens: 1_000_000 }, '12'],
    ['haiku', { input_tokens: 1000, output_tokens: 100 }, '0.00015'],
    [
      'claude-haiku-4-5-20251001',
      {
        input_tokens: 1_000_000,
        cache_creation_5m_input_tokens: 1,
        cache_creation_1h_input_tokens: 1,
        output_tokens: 0,
      },
      '1.00000325',
    ],
  ])('of %s for %j is $%s', (model, usage, expected) => {
    expect(formatExactUsd(listPrice({ model, usage: { ...zeroUsage, ...usage } }) ?? -1n)).toBe(expected)
  })

  it('is unknown for a model that has none', () => {
    expect(listPrice({ model: 'llama-9', usage: zeroUsage })).toBeUndefined()
    expect(listPrice({ model: 'constructor', usage: zeroUsage })).toBeUndefined()
  })

  it.each([
    ['claude-haiku-5-5', { service_tier: 'batch' }, '0.3'],
    ['claude-haiku-5-5', { inference_geo: 'us' }, '0.66'],
    ['claude-haiku-5-5', { service_tier: 'batch', inference_geo: 'us' }, '0.33'],
    ['claude-haiku-5-5', { service_tier: 'standard', inference_geo: 'global' }, '0.6'],
    ['claude-haiku-4-5', { inference_geo: 'us' }, '6'],
    ['claude-haiku-4-5', { service_tier: 'batch' }, '3'],
  ])('of a million tokens in and out of %s with %j is $%s', (model, raw, expected) => {
    // In pieces, for no prompt is to be in the dear band.
    const usage = { ...zeroUsage, input_tokens: 100_000, output_tokens: 100_000 }
    expect(formatExactUsd(10n * (listPrice({ model, usage, terms: parseBillingTerms(raw) }) ?? -1n))).toBe(
      expected,
    )
  })

  it('is the user’s own where there is one, also where the server answers under another name', () => {
    const own = { input: 1, output: 2, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
    const priceOf = createPriceOf({ 'claude-haiku-5-5': own, llama: own })
    const usage = { ...zeroUsage, input_tokens: 100_000, output_tokens: 1_000 }
    expect(formatExactUsd(priceOf({ model: 'claude-haiku-5-5', usage }) ?? -1n)).toBe('0.102')
    expect(formatExactUsd(priceOf({ model: 'llama:8b', requestedModel: 'llama', usage }) ?? -1n)).toBe(
      '0.102',
    )
    expect(priceOf({ model: 'llama:8b', requestedModel: 'haiku', usage })).toBeUndefined()
    // Where a long prompt is dearer, it is as much dearer; and so is a region.
    const long = { ...zeroUsage, input_tokens: 100_001 }
    expect(formatExactUsd(priceOf({ model: 'claude-haiku-5-5', usage: long }) ?? -1n)).toBe('0.500005')
    const us = { model: 'claude-haiku-5-5', usage, terms: { usInference: true } } as const
    expect(formatExactUsd(priceOf(us) ?? -1n)).toBe('0.1122')
    expect(
      formatExactUsd(priceOf({ model: 'llama', usage: long, terms: { usInference: true } }) ?? -1n),
    ).toBe('0.100001')
    expect(priceOf({ model: 'constructor', usage })).toBeUndefined()
  })

  const haiku = [
    'claude-haiku-4-5-20251001',
    'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    'global.anthropic.claude-haiku-4-5-20251001-v1:0:200k',
    'anthropic.claude-haiku-4-5-20251001-v1:0',
    'anthropic.claude-haiku-4-5',
    'anthropic/claude-haiku-4.5',
    'bedrock/eu.anthropic.claude-haiku-4-5-20251001-v1:0',
    'arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0',
    'claude-haiku-4-5@20251001',
    'claude-haiku-4-5-latest',
    'publishers/anthropic/models/Claude-Haiku-4-5@default',
  ]

  it.each(haiku)('of an answer under the name %s is that of the model that was asked for', (model) => {
    const usage = { ...zeroUsage, input_tokens: 100_000, output_tokens: 1000 }
    const own = { input: 2, output: 4, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
    for (const asked of ['claude-haiku-4-5', model, ...haiku]) {
      expect(formatExactUsd(listPrice({ model, requestedModel: asked, usage }) ?? -1n)).toBe('0.105')
      for (const name of ['claude-haiku-4-5', model, asked])
        expect(
          formatExactUsd(createPriceOf({ [name]: own })({ model, requestedModel: asked, usage }) ?? -1n),
        ).toBe('0.204')
    }
  })

  it('of an answer of another model is that model’s, by the table or by the user', () => {
    const usage = { ...zeroUsage, input_tokens: 100_000 }
    const own = { input: 7, output: 7, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
    const asked = 'claude-haiku-4-5'
    const priced = (model: string, prices = {}) =>
      formatExactUsd(createPriceOf(prices)({ model, requestedModel: asked, usage }) ?? -1n)
    expect(priced('us.anthropic.claude-opus-4-5-20251101-v1:0')).toBe('0.5')
    expect(priced('claude-opus-4-5', { [asked]: own })).toBe('0.5')
    expect(priced('claude-opus-4-5@20251101', { 'claude-opus-4-5': own })).toBe('0.7')
  })

  it.each([
    'claude-haiku-4-5-fast',
    'claude-haiku-4',
    'claude-haiku-4-50',
    'claude-haiku-9-9',
    'anthropic/llama-9',
    'haiku-4-5',
    'claude-',
    '',
  ])('of an answer of the unknown model %j is unknown', (model) => {
    expect(listPrice({ model, requestedModel: 'claude-haiku-4-5', usage: zeroUsage })).toBeUndefined()
  })

  it('of a model whose id begins with another one’s is its own', () => {
    const usage = { ...zeroUsage, input_tokens: 1_000_000 }
    expect(isSameModel('claude-opus-5', 'claude-opus-5-5')).toBe(false)
    expect(
      formatExactUsd(listPrice({ model: 'claude-opus-5-5', requestedModel: 'claude-opus-5', usage }) ?? -1n),
    ).toBe('4')
  })

  it('of a batch at a price that does not halve is rounded up, once', () => {
    const own = { input: 0.000001, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
    const usage = { ...zeroUsage, input_tokens: 3 }
    expect(createPriceOf({ x: own })({ model: 'x', usage, terms: { batch: true } })).toBe(2n)
  })

  it('is the same in whatever order it is added up', () => {
    const tokens = fc.integer({ min: 0, max: 90_000 })
    fc.assert(
      fc.property(
        fc.array(fc.record({ input_tokens: tokens, output_tokens: tokens }), { minLength: 1 }),
        (rows) => {
          const costs = rows.map(
            (row) => listPrice({ model: 'claude-haiku-5-5', usage: { ...zeroUsage, ...row } }) as bigint,
          )
          const input = rows.reduce((sum, { input_tokens }) => sum + input_tokens, 0)
          const output = rows.reduce((sum, { output_tokens }) => sum + output_tokens, 0)
          // $0.10 and $0.50 per million: 100,000 and 500,000 picodollars per token.
          const expected = BigInt(input) * 100_000n + BigInt(output) * 500_000n
          expect(costs.reduce((sum, cost) => sum + cost, 0n)).toBe(expected)
          expect(costs.toReversed().reduce((sum, cost) => sum + cost, 0n)).toBe(expected)
        },
      ),
    )
  })
})

describe('dollars', () => {
  it.each([
    [0n, '$0'],
    [123_456_000_000_000n, '$123.46'],
    [12_300_000_000n, '$0.0123'],
    [100_000_000_000n, '$0.10'],
    [5_000n, '$0.000000005'],
  ])('%s picodollars are %s', (cost, text) => {
    expect(formatUsd(cost)).toBe(text)
  })
})

describe('parseUsage', () => {
  it('splits cache writes by their price', () => {
    const raw = {
      input_tokens: 5,
      output_tokens: 7,
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 60, ephemeral_1h_input_tokens: 40 },
    }
    expect(parseUsage(raw)).toEqual({
      input_tokens: 5,
      cache_creation_5m_input_tokens: 60,
      cache_creation_1h_input_tokens: 40,
      cache_read_input_tokens: 30,
      output_tokens: 7,
    })
  })

  it.each([
    undefined,
    null,
    {},
    [],
    { input_tokens: 1 },
    { input_tokens: -1, output_tokens: 1 },
    { input_tokens: Number.NaN, output_tokens: 1 },
    { input_tokens: '1', output_tokens: 1 },
    { input_tokens: 1.5, output_tokens: 1 },
  ])('takes %j for unknown', (raw) => {
    expect(parseUsage(raw)).toBeUndefined()
  })

  it('takes null and missing cache fields for none', () => {
    expect(parseUsage({ input_tokens: 1, output_tokens: 2, cache_read_input_tokens: null })).toEqual({
      ...zeroUsage,
      input_tokens: 1,
      output_tokens: 2,
    })
  })
})

describe('the end of a model', () => {
  it('is known for ids of the API, and not for those of providers, which have dates of their own', () => {
    for (const model of ['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929'])
      expect(findRetirement(model)).toMatchObject({ date: '2026-11-30' })
    for (const model of ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5@20250929'])
      expect(findRetirement(model)).toBeUndefined()
  })
})
