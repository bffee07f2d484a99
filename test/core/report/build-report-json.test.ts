import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatExactUsd, listPrice } from '../../../src/core/pricing/pricing-rules.ts'
import type { Usage } from '../../../src/core/pricing/usage.ts'
import { buildReportJson, type ReportJsonOptions } from '../../../src/core/report/build-report-json.ts'
import type { RecordedRun } from '../../../src/core/report/recorded-run.ts'
import type { Attempt } from '../../../src/core/request/attempt.ts'
import { type DocumentEntry, ledgerFormatVersion, type RunStart } from '../../../src/core/run/ledger-entry.ts'
import type { Outcome } from '../../../src/core/run/outcome.ts'
import { createStatsCollector } from '../../../src/core/run/run-stats.ts'
import { toLedgerEntry } from '../../../src/core/run/to-ledger-entry.ts'

const began = Date.parse('2026-11-22T12:00:00Z')
const at = (ms: number) => new Date(began + ms).toISOString()
const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash: 'r' }

const run: RunStart = {
  type: 'run_start',
  format_version: ledgerFormatVersion,
  started_at: at(0),
  run_id: 'r1',
  program_version: '1',
  cwd: '..',
  prompt: facts.prompt,
  model: facts.model,
}
const made: ReportJsonOptions = { createdAt: at(9000), programVersion: '1.0.0' }

function lineFor(path: string, fields: Partial<DocumentEntry> = {}): DocumentEntry {
  const usage = {
    input_tokens: 1000,
    cache_creation_5m_input_tokens: 0,
    cache_creation_1h_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 100,
  }
  return {
    type: 'document',
    format_version: ledgerFormatVersion,
    path,
    status: 'summarized',
    ended_at: at(1000),
    settings_hash: facts.settingsHash,
    prompt: facts.prompt,
    model: facts.model,
    usage,
    cost_usd: 0.00015,
    elapsed_ms: 500,
    wait_ms: 100,
    latency_ms: 400,
    attempts: 1,
    request_id: null,
    ...fields,
  }
}

/** List prices in picodollars per token: input, 5 min cache write, 1 h cache write, cache read, output. */
const rates: Readonly<Record<string, readonly bigint[]>> = {
  'claude-haiku-5-5': [100_000n, 125_000n, 200_000n, 10_000n, 500_000n],
  'claude-sonnet-5-5': [2_000_000n, 2_500_000n, 4_000_000n, 100_000n, 10_000_000n],
  'claude-opus-4-5': [5_000_000n, 6_250_000n, 10_000_000n, 500_000n, 25_000_000n],
}

describe('buildReportJson', () => {
  it('adds up the usage that the API counted, exact to the last digit', () => {
    const tokens = fc.nat(30_000)
    const usages = fc.record({
      model: fc.constantFrom(...Object.keys(rates)),
      input_tokens: tokens,
      cache_creation_5m_input_tokens: tokens,
      cache_creation_1h_input_tokens: tokens,
      cache_read_input_tokens: tokens,
      output_tokens: fc.nat(128_000),
      batch: fc.boolean(),
      us: fc.boolean(),
    })
    fc.assert(
      fc.property(
        fc.array(fc.array(usages, { minLength: 1, maxLength: 3 }), { minLength: 1 }),
        (documents) => {
          const tally = createStatsCollector()
          let expected = 0n
          const lines = documents.map((replies, n) => {
            const attempts = replies.map(({ model, batch, us, ...usage }, k): Attempt => {
              const {
                input_tokens: input,
                cache_creation_5m_input_tokens: cacheWrite5m,
                cache_creation_1h_input_tokens: cacheWrite1h,
                cache_read_input_tokens: cacheRead,
                output_tokens: output,
              } = usage
              const counts = [input, cacheWrite5m, cacheWrite1h, cacheRead, output]
              const dear =
                model === 'claude-haiku-5-5' && input + cacheWrite5m + cacheWrite1h + cacheRead > 100_000
              const list = counts.reduce(
                (sum, count, kind) => sum + BigInt(count) * (rates[model]?.[kind] ?? 0n),
                0n,
              )
              const regional = us && model !== 'claude-opus-4-5'
              expected += (list * (dear ? 5n : 1n) * (regional ? 11n : 10n)) / (batch ? 20n : 10n)
              const terms = {
                ...(batch && { batch: true as const }),
                ...(us && { usInference: true as const }),
              }
              const cost = listPrice({ model, usage, terms }) ?? -1n
              return {
                path: String(n),
                attemptNumber: k + 1,
                startedAt: began,
                elapsedMs: 1,
                model,
                status: 200,
                usage,
                cost,
              }
            })
            attempts.forEach(tally.addAttempt)
            const outcome: Outcome = {
              document: { index: n, path: String(n), namedByUser: true },
              requestMetadata: {
                requestHash: 'k',
                fingerprint: { size: 1, sha256: 's' },
                characters: 1,
                kind: 'prose' as const,
              },
              attempts,
              elapsedMs: 1,
              status: 'summarized',
              text: 'text',
            }
            return toLedgerEntry(outcome, at(n), facts) as DocumentEntry
          })
          const report = buildReportJson([{ start: run, entries: lines }], made)
          expect(tally.getStats(1).cost).toBe(expected)
          expect(String(report.totals.cost_usd)).toBe(String(Number(formatExactUsd(expected))))
          for (const rows of [report.documents, report.runs, ...Object.values(report.groups)]) {
            const sum = rows.reduce(
              (sum, { cost_usd: cost }) => sum + BigInt(Math.round((cost ?? -1) * 1e12)),
              0n,
            )
            expect(sum).toBe(expected)
          }
        },
      ),
    )
  })

  it('leaves unknown costs out of its sums and counts the documents concerned', () => {
    const uncounted = lineFor('b.md', { usage: null, cost_usd: null })
    const unpriced = lineFor('c.md', { model: 'llama', cost_usd: null })
    const {
      totals,
      documents,
      groups: by,
    } = buildReportJson([{ start: run, entries: [lineFor('a.md'), uncounted, unpriced] }], made)
    expect(totals).toMatchObject({ cost_usd: 0.00015, documents_with_unknown_cost: 2, input_tokens: 2000 })
    expect(documents.map(({ cost_usd: cost }) => cost)).toEqual([0.00015, null, null])
    expect(by.model).toMatchObject([
      { name: 'claude-haiku-5-5', cost_usd: 0.00015, documents_with_unknown_cost: 1 },
      { name: 'llama', cost_usd: null, documents_with_unknown_cost: 1 },
    ])
  })

  it('ignores simulated runs unless there are no other runs', () => {
    const pretended: RecordedRun = {
      start: { ...run, run_id: 'r2', simulated: true },
      entries: [lineFor('a.md')],
    }
    const paid: RecordedRun = { start: run, entries: [lineFor('b.md')] }
    expect(buildReportJson([pretended, paid], made)).toMatchObject({
      simulated: false,
      totals: { summarized: 1 },
    })
    expect(buildReportJson([pretended], made)).toMatchObject({ simulated: true, totals: { summarized: 1 } })
  })

  it('groups by day, model, prompt and folder', () => {
    const lines = [
      lineFor('a/x.md'),
      lineFor('a/y.md', { cost_usd: 1, ended_at: '2026-11-23T00:00:01.000Z' }),
      lineFor('b/z.md', { model: 'claude-opus-5-5', prompt: 'summarize@v1', status: 'failed' }),
      lineFor('top.md'),
    ]
    const { groups: by } = buildReportJson([{ start: run, entries: lines }], made)
    expect(by.day.map(({ name, summarized }) => [name, summarized])).toEqual([
      ['2026-11-22', 2],
      ['2026-11-23', 1],
    ])
    expect(by.folder.map(({ name }) => name)).toEqual(['a', '.', 'b'])
    expect(by.prompt.map(({ name, failed }) => [name, failed])).toEqual([
      ['summarize@v2', 0],
      ['summarize@v1', 1],
    ])
  })

  it('shows the latest state of each document, and the count and examples of each error', () => {
    const error = { kind: 400, type: 'invalid_request_error', message: 'no', transient: false } as const
    const failed = (path: string) => lineFor(path, { status: 'failed', error })
    const runs: RecordedRun[] = [
      { start: run, entries: [failed('a.md'), failed('b.md')] },
      { start: { ...run, run_id: 'r2' }, entries: [lineFor('a.md'), failed('c.md')] },
    ]
    const { documents, errors, runs: rows, timeline } = buildReportJson(runs, made)
    expect(documents.map(({ path, status }) => `${path} ${status}`)).toEqual([
      'a.md summarized',
      'b.md failed',
      'c.md failed',
    ])
    expect(errors).toEqual([
      { error: '400 invalid_request_error: no', count: 2, transient: false, example_paths: ['b.md', 'c.md'] },
    ])
    expect(rows.map(({ failed }) => failed)).toEqual([2, 1])
    expect(timeline).toBeNull()
  })

  it('splits the time of documents into queue, rate limit, retries and API', () => {
    const line = lineFor('a.md', { elapsed_ms: 700, wait_ms: 100, retry_ms: 200, latency_ms: 400 })
    const { time } = buildReportJson([{ start: run, entries: [line] }], made)
    expect(time).toEqual({ queued_ms: 300, throttled_ms: 100, retries_ms: 200, api_ms: 400 })
  })
})

describe('the timeline of a run', () => {
  const usage = (input: number): Usage => ({
    input_tokens: input,
    cache_creation_5m_input_tokens: 0,
    cache_creation_1h_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 1,
  })

  it('contains every finished request, every token and all the time in flight', () => {
    const line = fc.record({
      over: fc.nat(100_000),
      took: fc.nat(5000),
      wait: fc.nat(1000),
      input: fc.nat(1000),
    })
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (rows) => {
        const lines = rows.map(({ over, took, wait, input }, n) =>
          lineFor(String(n), {
            ended_at: at(over + took + wait),
            elapsed_ms: took + wait,
            wait_ms: wait,
            usage: usage(input),
          }),
        )
        const { timeline } = buildReportJson([{ start: run, entries: lines }], made)
        const sum = (numbers: readonly number[] = []) => numbers.reduce((a, b) => a + b, 0)
        expect(sum(timeline?.finished)).toBe(rows.length)
        expect(sum(timeline?.input_tokens)).toBe(sum(rows.map(({ input }) => input)))
        const step = timeline?.step_ms ?? 0
        const busy = sum(timeline?.in_flight) * step
        expect(Math.abs(busy - sum(rows.map(({ took }) => took)))).toBeLessThanOrEqual(0.005 * step * 121)
        expect(timeline?.finished.length).toBeLessThanOrEqual(120)
      }),
    )
  })
})
