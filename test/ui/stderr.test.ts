import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RateLimiterStats } from '../../src/core/rate-limit/limiter-state.ts'
import type { Attempt } from '../../src/core/request/attempt.ts'
import type { Outcome } from '../../src/core/run/outcome.ts'
import { createStatsCollector } from '../../src/core/run/run-stats.ts'
import { createColors, shouldUseColor } from '../../src/ui/colors.ts'
import { formatRunSummary, type RunSummaryContext } from '../../src/ui/format-run-summary.ts'
import { formatBar, formatProgressLine, type ProgressState } from '../../src/ui/progress.ts'

const usage = {
  input_tokens: 1000,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 100,
}
const attempt = (path: string, fields: Partial<Attempt> = {}): Attempt => ({
  path,
  attemptNumber: 1,
  startedAt: 0,
  elapsedMs: 400,
  model: 'claude-haiku-5-5',
  status: 200,
  usage,
  cost: 150_000_000n,
  ...fields,
})
const source = (path: string) => ({ index: 0, path, namedByUser: true })
const base = (path: string) => ({ document: source(path), attempts: [], elapsedMs: 1 })
const plain = createColors({ isTTY: false }, {})
const setting: RunSummaryContext = {
  prompt: 'summarize@v2 (shipped)',
  model: 'claude-haiku-5-5',
  limiterStats: {
    configured: {},
    observed: {},
    throttledMs: new Map(),
    maxInFlight: 3,
    maxConcurrency: 256,
    lastThrottledBy: undefined,
  },
  costNote: undefined,
  rerunReasons: new Map(),
}

describe('the run summary', () => {
  it('shows totals of documents by outcome, tokens, cost, requests, retries by reason and latencies', () => {
    const statsCollector = createStatsCollector()
    const fault = { kind: 'status', status: 529, type: 'overloaded_error', message: '' } as const
    const { usage: _, cost: __, ...unanswered } = attempt('a', { error: fault, status: 529 })
    statsCollector.addAttempt(unanswered)
    statsCollector.addAttempt(attempt('a', { attemptNumber: 2 }))
    statsCollector.addAttempt(attempt('b', { elapsedMs: 1600 }))
    const outcomes: Outcome[] = [
      {
        ...base('a'),
        requestMetadata: {
          requestHash: 'k',
          fingerprint: { size: 1, sha256: 's' },
          characters: 1,
          kind: 'prose' as const,
        },
        status: 'summarized',
        text: 'x',
      },
      {
        ...base('b'),
        status: 'failed',
        failure: { kind: 'reply', type: 'empty', message: '', transient: false },
      },
      { ...base('c'), status: 'skipped', type: 'empty', reason: '' },
      { ...base('d'), status: 'pending', reason: '' },
    ]
    for (const outcome of outcomes) statsCollector.addOutcome(outcome)
    expect(formatRunSummary(statsCollector.getStats(2500), { ...setting, out: 'summaries' }, plain)).toBe(
      [
        'documents  4: 1 summarized, 1 failed, 1 skipped (1 empty: c), 1 pending',
        'tokens     2,000 in, 200 out',
        'cost       $0.0003',
        'requests   3, including 1 retry (HTTP 529: 1)',
        'latency    p50 400 ms, p95 1.6 s, p99 1.6 s',
        'time       2.5 s, up to 3 requests in flight',
        'limited by API latency',
        'prompt     summarize@v2 (shipped), claude-haiku-5-5',
        'output     summaries',
        'next       the .error.txt files have the reasons; fix them, then run the same command again',
        '',
      ].join('\n'),
    )
  })

  it('names the documents of a small group, except unchanged ones', () => {
    const statsCollector = createStatsCollector()
    const skip = (path: string, type: string) =>
      statsCollector.addOutcome({ ...base(path), status: 'skipped', type, reason: '' })
    for (const path of ['a', 'b', 'c', 'd']) skip(path, 'empty')
    for (const path of ['e', 'f\n', 'g']) skip(path, 'modified')
    skip('h', 'unchanged')
    const again = new Map([['summary deleted', { count: 2, paths: ['j', 'i'] }]])
    const text = formatRunSummary(statsCollector.getStats(1), { ...setting, rerunReasons: again }, plain)
    expect(text).toContain('8 skipped (4 empty; 3 edited by hand: e, f\\x0a, g; 1 unchanged)')
    expect(text).toMatch(/^redone +2 \(summary deleted\): i, j$/m)
  })

  it('never shows an unknown cost as $0', () => {
    const statsCollector = createStatsCollector()
    const { cost: _, ...unpriced } = attempt('a', { model: 'llama-9' })
    statsCollector.addAttempt(unpriced)
    expect(formatRunSummary(statsCollector.getStats(1), { ...setting, model: 'llama-9' }, plain)).toMatch(
      /cost +unknown \(1 without usage or a price/,
    )
    statsCollector.addAttempt(attempt('b'))
    expect(formatRunSummary(statsCollector.getStats(1), setting, plain)).toMatch(
      /cost +\$0\.00015 and an unknown part/,
    )
  })

  it('reports lost responses that may be billed', () => {
    const statsCollector = createStatsCollector()
    statsCollector.addAttempt(attempt('a', { error: { kind: 'timeout', type: 'timeout', message: '' } }))
    expect(formatRunSummary(statsCollector.getStats(1), setting, plain)).toContain(
      '1 response was lost in transit and may be billed too',
    )
  })
})

describe('the limit of the run', () => {
  it('is the one that requests waited for, with the share that was used', () => {
    const statsCollector = createStatsCollector()
    for (let n = 0; n < 60; n++) statsCollector.addAttempt(attempt(`${n}`))
    const limiterStats: RateLimiterStats = {
      configured: { requests: 3000 },
      observed: { requests: 120 },
      throttledMs: new Map([['requests', 25_000]]),
      maxInFlight: 3,
      maxConcurrency: 256,
      lastThrottledBy: undefined,
    }
    const text = formatRunSummary(statsCollector.getStats(30_000), { ...setting, limiterStats }, plain)
    expect(text).toContain('limited by 120 requests per minute, 100 % used')
    expect(text).toContain("--rpm 3000 is above the API's limit of 120; the run kept to the API's limit")
  })
})

describe('the progress', () => {
  const standing: ProgressState = {
    done: 30,
    total: 1200,
    failed: 2,
    cost: 4_500_000_000n,
    remainingMs: 30_000,
    limitedBy: 'requests',
    waitingText: undefined,
  }

  it('is one line with finished and failed documents, the cost, the remaining time and the limit', () => {
    const bar = (state: ProgressState) => formatBar(state, 0.5, 100)
    expect(bar(standing)).toBe(
      '████████████░░░░░░░░░░░░ 30/1,200 · 2 failed · $0.0045 · 30 s left · limited by requests/min',
    )
    expect(bar({ ...standing, done: 1200, failed: 0 })).toBe('████████████░░░░░░░░░░░░ 1,200/1,200 · $0.0045')
    expect(bar({ ...standing, waitingText: '90 documents in a batch' })).toBe(
      '████████████░░░░░░░░░░░░ 30/1,200 · 2 failed · $0.0045 · 90 documents in a batch',
    )
    expect(formatProgressLine(standing)).toBe(
      'claude-batch: 30 of 1,200 documents, 2 failed, $0.0045, about 30 s left, limited by requests per minute',
    )
  })

  it.each([
    [80, '██████░░░░░░ 30/1,200 · 2 failed · $0.0045 · 30 s left · limited by requests/min'],
    [70, '30/1,200 · 2 failed · $0.0045 · 30 s left · limited by requests/min'],
    [60, '█████████░░░░░░░░░ 30/1,200 · 2 failed · $0.0045 · 30 s left'],
    [41, '30/1,200 · 2 failed · $0.0045 · 30 s left'],
    [39, '30/1,200 · 2 failed · 30 s left'],
    [30, '█████░░░░ 30/1,200 · 30 s left'],
    [20, '30/1,200 · 30 s left'],
    [12, '30/1,200'],
    [5, '30/1,'],
  ])('fits into %i columns', (columns, expected) => {
    const text = formatBar(standing, 0.5, columns)
    expect(text.length).toBeLessThanOrEqual(columns)
    expect(text).toBe(expected)
  })

  it('fits into any number of columns', () => {
    const state = fc.record({
      done: fc.nat(100_000),
      total: fc.nat(100_000),
      failed: fc.nat(100_000),
      cost: fc.bigInt({ min: 0n, max: 10n ** 16n }),
      remainingMs: fc.option(fc.nat(10 ** 9), { nil: undefined }),
      limitedBy: fc.constantFrom(undefined, 'requests'),
      waitingText: fc.constantFrom(undefined, 'stopping: waiting for 12 requests in flight'),
    })
    fc.assert(
      fc.property(state, fc.integer({ min: 1, max: 200 }), (given, columns) => {
        expect(formatBar(given, 0.3, columns).length).toBeLessThanOrEqual(columns)
      }),
    )
  })
})

describe('colour', () => {
  it.each<[boolean, Record<string, string>, boolean]>([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('on a terminal: %s, with %j: %s', (terminal, env, wanted) => {
    expect(shouldUseColor(terminal, env)).toBe(wanted)
  })
})
