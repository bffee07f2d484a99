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

describe('the price of a reply', () => {
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
  ])('by %s with the usage %j is $%s', (model, usage, expected) => {
    expect(formatExactUsd(listPrice({ model, usage: { ...zeroUsage, ...usage } }) ?? -1n)).toBe(expected)
  })

  it('is unknown for a model without a list price', () => {
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
  ])('for a million input and output tokens of %s with the terms %j is $%s', (model, raw, expected) => {
    // Ten requests of 100,000 tokens each, so that no prompt reaches the higher price tier.
    const usage = { ...zeroUsage, input_tokens: 100_000, output_tokens: 100_000 }
    expect(formatExactUsd(10n * (listPrice({ model, usage, terms: parseBillingTerms(raw) }) ?? -1n))).toBe(
      expected,
    )
  })

  it('is the price set by the user, even if the server returns another model name', () => {
    const own = { input: 1, output: 2, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
    const priceOf = createPriceOf({ 'claude-haiku-5-5': own, llama: own })
    const usage = { ...zeroUsage, input_tokens: 100_000, output_tokens: 1_000 }
    expect(formatExactUsd(priceOf({ model: 'claude-haiku-5-5', usage }) ?? -1n)).toBe('0.102')
    expect(formatExactUsd(priceOf({ model: 'llama:8b', requestedModel: 'llama', usage }) ?? -1n)).toBe(
      '0.102',
    )
    expect(priceOf({ model: 'llama:8b', requestedModel: 'haiku', usage })).toBeUndefined()
    // The surcharges of the model for long prompts and for a region apply to the user’s price, too.
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

  it.each(haiku)('under the model name %s is that of the requested model', (model) => {
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

  it('from another model than the requested one is the price of that other model', () => {
    const usage = { ...zeroUsage, input_tokens: 100_000 }
    const own = { input: 7, output: 7, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
    const asked = 'claude-haiku-4-5'
    const priced = (model: string, prices = {}) =>
      formatExactUsd(createPriceOf(prices)({ model, requestedModel: asked, usage }) ?? -1n)
    expect(priced('us.anthropic.claude-opus-4-5-20251101-v1:0')).toBe('0.5')
    expect(priced('claude-opus-4-5', { [asked]: own })).toBe('0.5')
    expect(priced('claude-opus-4-5@20251101', { 'claude-opus-4-5': own })).toBe('0.7')
  })

  it('of Fable 5.2 and Mythos 5.2 is less than that of 5.1', () => {
    const usage = {
      ...zeroUsage,
      input_tokens: 100_000,
      output_tokens: 10_000,
      cache_read_input_tokens: 1_000_000,
    }
    const priced = (model: string) => formatExactUsd(listPrice({ model, usage }) ?? -1n)
    expect(['claude-fable-5-2', 'claude-mythos-5-2', 'claude-fable-5-1'].map(priced)).toEqual([
      '1.4',
      '1.4',
      '1.75',
    ])
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
  ])('from the unknown model %j is unknown', (model) => {
    expect(listPrice({ model, requestedModel: 'claude-haiku-4-5', usage: zeroUsage })).toBeUndefined()
  })

  it('from a model whose id starts with the id of another model is not confused with the other’s', () => {
    const usage = { ...zeroUsage, input_tokens: 1_000_000 }
    expect(isSameModel('claude-opus-5', 'claude-opus-5-5')).toBe(false)
    expect(
      formatExactUsd(listPrice({ model: 'claude-opus-5-5', requestedModel: 'claude-opus-5', usage }) ?? -1n),
    ).toBe('4')
  })

  it('in a batch is rounded up once if half of it is not a whole number of picodollars', () => {
    const own = { input: 0.000001, output: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0 }
    const usage = { ...zeroUsage, input_tokens: 3 }
    expect(createPriceOf({ x: own })({ model: 'x', usage, terms: { batch: true } })).toBe(2n)
  })

  it('adds up exactly, in any order', () => {
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

describe('formatUsd', () => {
  it.each([
    [0n, '$0'],
    [123_456_000_000_000n, '$123.46'],
    [12_300_000_000n, '$0.0123'],
    [100_000_000_000n, '$0.10'],
    [5_000n, '$0.000000005'],
  ])('formats %s picodollars as %s', (cost, text) => {
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
  ])('returns undefined for %j', (raw) => {
    expect(parseUsage(raw)).toBeUndefined()
  })

  it('treats null and missing cache fields as zero', () => {
    expect(parseUsage({ input_tokens: 1, output_tokens: 2, cache_read_input_tokens: null })).toEqual({
      ...zeroUsage,
      input_tokens: 1,
      output_tokens: 2,
    })
  })
})

describe('findRetirement', () => {
  it('returns a date for ids of the API, but not for ids of providers, which set other dates', () => {
    for (const model of ['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929'])
      expect(findRetirement(model)).toMatchObject({ date: '2026-11-30' })
    for (const model of ['claude-opus-4-5', 'claude-opus-4-5-20251101'])
      expect(findRetirement(model)).toMatchObject({ date: '2027-01-22' })
    expect(findRetirement('claude-mythos-preview')).toMatchObject({ date: '2026-06-30' })
    for (const model of ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5@20250929'])
      expect(findRetirement(model)).toBeUndefined()
  })
})
