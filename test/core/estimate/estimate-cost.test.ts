import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addObservation,
  estimateCost,
  type PlannedRequest,
  type TokenHistory,
} from '../../../src/core/estimate/estimate-cost.ts'
import { estimateTime } from '../../../src/core/estimate/estimate-json.ts'
import { selectSample } from '../../../src/core/estimate/select-sample.ts'
import { listPrice } from '../../../src/core/pricing/pricing-rules.ts'
import { type DocumentEntry, ledgerFormatVersion } from '../../../src/core/run/ledger-entry.ts'
import { detectTextKind } from '../../../src/core/text/text-kind.ts'

const like = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', kind: 'prose' } as const
const prospect = (characters: number, fields: Partial<PlannedRequest> = {}): PlannedRequest => ({
  ...like,
  characters,
  maxTokens: 1024,
  ...fields,
})
const lineOf = (chars: number, input: number, output: number): DocumentEntry => ({
  type: 'document',
  format_version: ledgerFormatVersion,
  ended_at: '',
  path: '',
  status: 'summarized',
  settings_hash: '',
  prompt: like.prompt,
  model: like.model,
  text_kind: like.kind,
  characters: chars,
  usage: {
    input_tokens: input,
    cache_creation_5m_input_tokens: 0,
    cache_creation_1h_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: output,
  },
  cost_usd: 0,
  elapsed_ms: 0,
  attempts: 1,
  request_id: null,
})
function experienceOf(lines: readonly DocumentEntry[]): TokenHistory {
  const experience: TokenHistory = new Map()
  for (const line of lines) addObservation(experience, line)
  return experience
}

describe('estimateCost', () => {
  it('learns separately what citations add to the input', () => {
    const plain = [1, 2, 3, 4, 5, 6].map((n) => lineOf(n * 1000, n * 400, 150))
    const cited = plain.map((line) => ({
      ...line,
      usage: line.usage && { ...line.usage, input_tokens: 3 * line.usage.input_tokens },
      citations: [],
    }))
    const history = experienceOf([...plain, ...cited])
    const estimate = (fields: Partial<PlannedRequest>) =>
      estimateCost([prospect(10_000, fields)], history, listPrice).inputTokens.expected
    expect([estimate({}), estimate({ isCited: true })]).toEqual([4000, 12_000])
  })

  it('extrapolates from earlier documents with the same prompt, model and kind of text', () => {
    const experience = experienceOf([1, 2, 3, 4, 5, 6].map((n) => lineOf(n * 1000, n * 400, 150)))
    const {
      inputTokens: input,
      outputTokens: output,
      withHistory: measured,
    } = estimateCost([prospect(10_000), prospect(20_000)], experience, listPrice)
    expect(input.expected).toBe(12_000)
    expect(output.expected).toBe(300)
    expect(measured).toBe(2)
    expect(input.high / input.low).toBeLessThan(1.05)
  })

  it('uses no history of another model, prompt or kind of text, or of fewer than five documents', () => {
    const experience = experienceOf([1, 2, 3, 4].map((n) => lineOf(n * 1000, n * 400, 150)))
    expect(estimateCost([prospect(1000)], experience, listPrice).withHistory).toBe(0)
    const many = experienceOf(Array.from({ length: 9 }, () => lineOf(1000, 400, 150)))
    for (const fields of [{ model: 'claude-opus-5-5' }, { prompt: 'x@v1' }, { kind: 'code' }] as const)
      expect(estimateCost([prospect(1000, fields)], many, listPrice).withHistory).toBe(0)
  })

  it('ignores documents that failed, were split into chunks, took several attempts or have no usage', () => {
    const good = lineOf(1000, 400, 150)
    const odd: DocumentEntry[] = [
      { ...good, attempts: 2 },
      { ...good, chunks: 12 },
      { ...good, usage: null },
      { ...good, status: 'failed' },
    ]
    expect(experienceOf(odd.flatMap((line) => [line, line, line])).size).toBe(0)
  })

  it('returns an interval that contains the actual cost in more than 95 % of random samples', () => {
    const random = ((seed) => () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
      return seed / 2 ** 31
    })(7)
    const one = () => {
      const chars = Math.round(500 * Math.exp(2.5 * random()))
      const input = Math.round(chars * (0.3 + 0.15 * random()) + 20)
      return { chars, input, output: Math.round(60 + 200 * random()) }
    }
    let held = 0
    const rounds = 200
    for (let n = 0; n < rounds; n++) {
      const sample = Array.from({ length: 20 }, one)
      const rest = Array.from({ length: 200 }, one)
      const experience = experienceOf(sample.map(({ chars, input, output }) => lineOf(chars, input, output)))
      const { liveCost: live } = estimateCost(
        rest.map(({ chars }) => prospect(chars)),
        experience,
        listPrice,
      )
      const truth = rest.reduce((sum, { input, output }) => sum + input * 0.1 + output * 0.5, 0) * 1e6
      if (live !== undefined && Number(live.low) <= truth && truth <= Number(live.high)) held++
    }
    expect(held / rounds).toBeGreaterThan(0.95)
  })

  it('estimates chunks without the history of whole documents, at the full price also in a batch', () => {
    const history = experienceOf(Array.from({ length: 9 }, () => lineOf(1000, 400, 150)))
    const whole = estimateCost([prospect(1000)], history, listPrice)
    const chunk = estimateCost([prospect(1000, { isForChunks: true })], history, listPrice)
    expect([whole.withHistory, chunk.withHistory]).toEqual([1, 0])
    expect(whole.batchCost?.expected).toBe((whole.liveCost?.expected ?? 0n) / 2n)
    expect(chunk.batchCost).toEqual(chunk.liveCost)
  })

  it('returns ordered intervals, and no cost if a price is unknown', () => {
    const prospects = fc.array(
      fc.record({
        prompt: fc.constant('p@v1'),
        model: fc.constantFrom('claude-haiku-5-5', 'claude-opus-4-5', 'llama'),
        kind: fc.constantFrom('prose', 'code', 'cjk'),
        characters: fc.nat(2_000_000),
        maxTokens: fc.integer({ min: 1, max: 128_000 }),
      } as const),
    )
    fc.assert(
      fc.property(prospects, (prospects) => {
        const {
          inputTokens: input,
          outputTokens: output,
          liveCost: live,
          batchCost: batch,
        } = estimateCost(prospects, new Map(), listPrice)
        for (const { low, expected, high } of [input, output])
          expect(low <= expected && expected <= high).toBe(true)
        const priced = !prospects.some(({ model }) => model === 'llama')
        expect([live !== undefined, batch !== undefined]).toEqual([priced, priced])
        if (live === undefined || batch === undefined) return
        expect(live.low <= live.expected && live.expected <= live.high).toBe(true)
        expect(batch.expected * 2n - live.expected <= BigInt(prospects.length)).toBe(true)
      }),
    )
  })
})

describe('estimateTime', () => {
  const forecast = (requests: number, input: number, output: number) => ({
    requests,
    inputTokens: { low: 0, expected: input, high: 0 },
    outputTokens: { low: 0, expected: output, high: 0 },
  })

  it.each([
    [forecast(600, 0, 0), { requests: 60 }, { duration_ms: 600_000, concurrency: 3, limited_by: 'requests' }],
    [
      forecast(10, 4_000_000, 0),
      { requests: 60, inputTokens: 2_000_000 },
      { duration_ms: 120_000, limited_by: 'input_tokens' },
    ],
    [
      forecast(10, 0, 50_000),
      { requests: 60, outputTokens: 10_000 },
      { duration_ms: 300_000, limited_by: 'output_tokens' },
    ],
    [forecast(3, 0, 0), { requests: 1000 }, { duration_ms: 3000, concurrency: 50, limited_by: 'latency' }],
    [forecast(512, 0, 0), {}, { duration_ms: 6000, concurrency: 256, limited_by: 'latency' }],
  ])('estimates for %j under the limits %j a time of %j', (requests, limits, expected) => {
    expect(estimateTime(requests, limits, 'configured', 3000, 256)).toMatchObject(expected)
  })
})

describe('selectSample', () => {
  const items = fc.uniqueArray(fc.record({ path: fc.string(), size: fc.nat(100_000) }), {
    selector: ({ path }) => path,
    minLength: 1,
    maxLength: 60,
  })

  it('selects documents of all sizes, always the same ones in any input order', () => {
    fc.assert(
      fc.property(items, fc.integer({ min: 1, max: 70 }), (items, count) => {
        const sample = selectSample(items, count)
        expect(new Set(sample).size).toBe(Math.min(count, items.length))
        expect(new Set(selectSample(items.toReversed(), count))).toEqual(new Set(sample))
        if (count < 2 || items.length < 2 * count) return
        const sizes = items.map(({ size }) => size).sort((a, b) => a - b)
        const middle = sizes[Math.floor(sizes.length / 2)] ?? 0
        expect(sample.some(({ size }) => size <= middle)).toBe(true)
        expect(sample.some(({ size }) => size >= middle)).toBe(true)
      }),
    )
  })
})

describe('detectTextKind', () => {
  it.each([
    ['a.md', 'The harbour.', 'prose'],
    ['README', 'The harbour.', 'prose'],
    ['a.ts', 'const a = 1', 'code'],
    ['a.csv', 'a,b', 'code'],
    ['a.md', '港灣管理局開會討論航道問題，沒有作出任何決定。', 'cjk'],
    ['a.md', '한국어 문서입니다. 항만 위원회가 열렸습니다.', 'cjk'],
  ])('classifies %s with the text %j as %s', (path, text, kind) => {
    expect(detectTextKind(path, text)).toBe(kind)
  })
})
