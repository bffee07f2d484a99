import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BatchItem } from '../../../src/core/batch/batch.ts'
import type { DocumentRef } from '../../../src/core/document/document.ts'
import type { RequestError } from '../../../src/core/errors/request-error.ts'
import { AccountError } from '../../../src/core/errors/run-error.ts'
import { listPrice } from '../../../src/core/pricing/pricing-rules.ts'
import type { Outcome } from '../../../src/core/run/outcome.ts'
import { type BatchJob, runBatches } from '../../../src/engine/batch/run-batches.ts'
import { createShutdown } from '../../../src/engine/shutdown.ts'
import { createRequest, createStatusError } from '../../support/scripted-ask.ts'
import {
  type BatchCall,
  createMemoryBatchStore,
  createScriptedBatches,
} from '../../support/scripted-batches.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash: 'r' }
const hour = 3_600_000

/** Errors that a call may return even if the API executed it. */
const faults: readonly RequestError[] = [
  ...[408, 409, 429, 500, 502, 503, 504, 524, 529, 507].map((status) => createStatusError(status)),
  createStatusError(429, { retryAfterSeconds: 60 }),
  { kind: 'timeout', type: 'timeout', message: 'no answer' },
  { kind: 'connection', type: 'connection_error', message: 'reset', code: 'ECONNRESET' },
  { kind: 'malformed', type: 'malformed_reply', message: 'the answer is not a batch' },
]
/** Errors that mean that the API did not execute the call. */
const refusals: readonly RequestError[] = [
  { kind: 'connection', type: 'connection_error', message: 'refused', code: 'ECONNREFUSED' },
  createStatusError(404, { type: 'http_404' }),
  createStatusError(403, { type: 'permission_error' }),
  createStatusError(400, { code: 'workspace_human_review_disabled' }),
]

const trouble = fc.oneof(
  fc.record({ fault: fc.constantFrom(...faults), after: fc.boolean() }),
  fc.record({ fault: fc.constantFrom(...refusals), after: fc.constant(false) }),
)
/** The errors of the first calls of a kind, and the error of all later calls. */
const course = fc.record({
  first: fc.array(fc.option(trouble), { maxLength: 4 }),
  later: fc.option(trouble, { freq: 8 }),
})
const service = fc.record({
  create: course,
  retrieve: course,
  since: course,
  answers: course,
  line: course,
  /** Whether the list of batches contains only the newest batch. */
  isListCut: fc.boolean(),
  bad: fc.uniqueArray(fc.nat(8), { maxLength: 2 }),
  isNamed: fc.boolean(),
})

describe('runBatches, with any error at any call', () => {
  it('pays for each document at most once, and ends within bounded time and requests', async () => {
    await fc.assert(
      fc.asyncProperty(service, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 2, max: 9 }), over),
      { numRuns: 25 },
    )
  })

  const quiet = { first: [], later: null }
  const withoutErrors = {
    ...{ create: quiet, retrieve: quiet, since: quiet, answers: quiet, line: quiet },
    isListCut: false,
    isNamed: false,
  }
  it.each([
    ['after accepted ones', [4, 5], 7],
    ['before any is accepted', [0, 1], 3],
    ['in several batches', [0, 2], 5],
  ])('sends the good documents if a whole batch is refused %s', async (_name, bad, count) => {
    await over({ ...withoutErrors, bad }, count, 2)
  })
})

async function over(
  plan: typeof service extends fc.Arbitrary<infer Plan> ? Plan : never,
  count: number,
  limit: number,
): Promise<void> {
  const clock = createVirtualClock()
  const calls = new Map<BatchCall, number>()
  const isBad = (path: string) => plan.bad.includes(Number.parseInt(path, 10))
  let isOver = false
  const scripted = createScriptedBatches({
    clock,
    failCall(call) {
      const n = calls.get(call) ?? 0
      calls.set(call, n + 1)
      if (isOver) return undefined
      const { first, later } = plan[call]
      const happens = n < first.length ? first[n] : later
      if (!happens) return undefined
      return happens.after ? { after: happens.fault } : { before: happens.fault }
    },
    refuseBatch(paths) {
      const at = paths.findIndex(isBad)
      return at < 0
        ? undefined
        : createStatusError(400, { message: plan.isNamed ? `requests.${at}: bad` : 'bad' })
    },
  })
  const batchApi: typeof scripted.batches = {
    ...scripted.batches,
    async listSince(...args) {
      const list = await scripted.batches.listSince(...args)
      return plan.isListCut && !isOver ? { batches: list.batches.slice(-1), isComplete: false } : list
    },
  }
  const disk = new Map()
  const ledger: Outcome[] = []
  const paths = Array.from({ length: count }, (_, n) => `${n}.md`)

  const run = async () => {
    const shutdown = createShutdown()
    const done = new Set(ledger.map(({ document }) => document.path))
    const sources: DocumentRef[] = paths
      .filter((path) => !done.has(path))
      .map((path, index) => ({ index, path, namedByUser: true }))
    const outcomes: Outcome[] = []
    const job: BatchJob = {
      sources,
      read: async (source) => ({
        ref: source,
        text: source.path,
        fingerprint: { size: 1, sha256: source.path },
      }),
      toRunError: (error) => new AccountError(error, 'a-model', 'https://api.example'),
      persist: async (outcome) => {
        if (outcome.status === 'summarized' || outcome.status === 'failed') ledger.push(outcome)
        return true
      },
      shutdown,
      clock,
      batchApi,
      store: createMemoryBatchStore(disk, clock, (id, path) =>
        ledger.some(({ document, attempts }) => document.path === path && attempts.at(-1)?.batchId === id),
      ),
      endpoint: 'here',
      loadChecks: async () => ({ findMismatch: () => undefined, checkQuality: () => [] }),
      priceOf: listPrice,
      random: () => 1,
      retries: 3,
      shouldWait: true,
      isDetached: false,
      sending: {
        async *runLive() {},
        batches: {
          buildRequest: ({ ref }) => createRequest(ref.path),
          getItemSettings: () => ({
            provenance: facts,
            answerSettings: { maxTokens: 1024, frontMatter: false },
          }),
          hasSucceededBefore: () => true,
          maxBatchSize: { items: limit, bytes: 1e9 },
        },
      },
      listener: {
        onAttempt() {},
        onCanary() {},
        onRetry() {},
        onCollectError() {},
        onWarning() {},
        onSubmitted() {},
        onWaiting() {},
        onUnfinished() {},
      },
    }
    for await (const outcome of runBatches(job)) outcomes.push(outcome)
    // Each document has one outcome.
    expect(outcomes.map(({ document }) => document.path).sort()).toEqual(
      sources.map(({ path }) => path).sort(),
    )
  }

  for (let runs = 1; runs <= 4; runs++) {
    isOver = runs > 2
    const before = { at: clock.now(), calls: sumOf(calls.values()) }
    await clock.run(run())
    expect(clock.now() - before.at).toBeLessThan(27 * hour)
    // The run polls up to nine batches once a minute for up to 25 hours, with four attempts in an outage.
    expect(sumOf(calls.values()) - before.calls).toBeLessThan(9 * 25 * 60 * 4 + 1000)
    for (const [path, times] of scripted.billed()) expect([path, times]).toEqual([path, 1])
    for (const { items } of scripted.made.values()) expect(items.some(({ path }) => isBad(path))).toBe(false)
  }
  // Without further errors, all documents are finished, except those in unconfirmed batches.
  const open = [...disk.values()].flatMap(({ documents }) => [...documents.values()] as BatchItem[])
  expect([...ledger.map(({ document }) => document.path), ...open.map(({ path }) => path)].sort()).toEqual(
    expect.arrayContaining(paths.filter((path) => !isBad(path))),
  )
}

function sumOf(counts: Iterable<number>): number {
  return [...counts].reduce((sum, count) => sum + count, 0)
}
