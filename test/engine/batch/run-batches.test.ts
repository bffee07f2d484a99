import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Batch, BatchResultLine, UnreadableResult } from '../../../src/core/batch/batch.ts'
import type { BatchApi } from '../../../src/core/batch/batch-api.ts'
import type { Document, DocumentRef } from '../../../src/core/document/document.ts'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import { AccountError } from '../../../src/core/errors/run-error.ts'
import { listPrice, usdToPicodollars } from '../../../src/core/pricing/pricing-rules.ts'
import { type Outcome, sumUsage } from '../../../src/core/run/outcome.ts'
import { type BatchJob, runBatches, type Sending } from '../../../src/engine/batch/run-batches.ts'
import { createSemaphore } from '../../../src/engine/middleware/semaphore.ts'
import { createSharedBudget } from '../../../src/engine/middleware/shared-budget.ts'
import { withAttemptLog } from '../../../src/engine/middleware/with-attempt-log.ts'
import { createShutdown } from '../../../src/engine/shutdown.ts'
import { summarizeDocuments } from '../../../src/engine/summarize-documents.ts'
import { ExitError } from '../../../src/errors.ts'
import {
  createReply,
  createRequest,
  createScriptedAsk,
  createStatusError,
} from '../../support/scripted-ask.ts'
import {
  type BatchScript,
  createMemoryBatchStore,
  createScriptedBatches,
} from '../../support/scripted-batches.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const pathsOf = (count: number) => Array.from({ length: count }, (_, n) => `${n}.md`)
const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash: 'r' }

const settings = { maxTokens: 1024, frontMatter: false }

/** Options of a run. `mode` decides how the run sends documents that are in no batch. */
type RunOptions = Partial<Omit<BatchJob, 'sending'> & SubmitOptions> & {
  readonly mode?: 'batch' | 'live' | 'collect'
}

type SubmitOptions = NonNullable<Sending['batches']>

/** An output folder for several runs, and a scripted Batches API. */
function setting(script: Partial<BatchScript> = {}, paths = pathsOf(5)) {
  const clock = createVirtualClock()
  const service = createScriptedBatches({ clock, ...script })
  const disk = new Map()
  /** The outcomes in the ledger. */
  const ledger: Outcome[] = []
  const isDone = (path: string) =>
    ledger.some(({ document, status }) => document.path === path && status === 'summarized')
  const notes: string[] = []

  /** @returns the outcomes of a run, the reason of its drain, and the paths of its live requests */
  const begin = ({ mode = 'batch', ...options }: RunOptions = {}, ask = createScriptedAsk('ok')) => {
    const shutdown = createShutdown()
    const asked: string[] = []
    const sources: DocumentRef[] = paths
      .filter((path) => !isDone(path))
      .map((path, index) => ({ index, path, namedByUser: true }))
    const common = {
      read: async (source: DocumentRef): Promise<Document> => ({
        ref: source,
        text: source.path,
        fingerprint: { size: 1, sha256: source.path },
      }),
      buildRequest: ({ ref }: Document) => createRequest(ref.path),
      toRunError: (error) => new AccountError(error, 'a-model', 'https://api.example'),
      persist: async (outcome: Outcome) => {
        const { status, attempts } = outcome
        if (status === 'summarized' || status === 'failed' || attempts.length > 0) ledger.push(outcome)
        return true
      },
      shutdown,
      clock,
    } satisfies RunOptions
    const sender = withAttemptLog(ask, clock, { onSend() {}, onEnd() {} })
    const runLive: Sending['runLive'] = (given) => {
      async function* sources() {
        for (const source of given) {
          asked.push(source.path)
          yield source
        }
      }
      return summarizeDocuments({
        ...common,
        sources: sources(),
        semaphore: createSemaphore(() => 2),
        ...(options.planChunks !== undefined && { planChunks: options.planChunks }),
        ask: options.budget?.withBudget(sender, shutdown.drainSignal) ?? sender,
      })
    }
    const batches: SubmitOptions = {
      buildRequest: common.buildRequest,
      getItemSettings: () => ({ provenance: facts, answerSettings: settings }),
      hasSucceededBefore: () => true,
      ...options,
    }
    const job: BatchJob = {
      ...common,
      sources,
      ...(mode !== 'collect' && { sending: mode === 'batch' ? { runLive, batches } : { runLive } }),
      batchApi: service.batches,
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
      listener: {
        onAttempt() {},
        onCanary() {},
        onRetry: ({ requestError }) => notes.push(`troubled: ${requestError.type}`),
        onCollectError: ({ message }) => notes.push(message),
        onWarning: (text) => notes.push(text),
        onSubmitted: ({ items }) => notes.push(`submitted ${items.size}`),
        onWaiting() {},
        onUnfinished: (batches) => notes.push(`left ${batches.length}`),
      },
      ...options,
    }
    const all = async () => {
      const outcomes: Outcome[] = []
      for await (const outcome of runBatches(job)) outcomes.push(outcome)
      return { outcomes, stopped: shutdown.drainSignal.reason as unknown, asked }
    }
    return { shutdown, ended: clock.run(all()) }
  }
  const statuses = (outcomes: readonly Outcome[]) =>
    outcomes.map(({ document, status }) => `${document.path} ${status}`).sort()
  return { clock, service, disk, ledger, notes, begin, statuses, paths }
}

describe('runBatches', () => {
  it('puts all documents into one batch, and yields an outcome for each at half the price', async () => {
    const { begin, service, statuses, disk, clock } = setting()
    const { outcomes, asked } = await begin().ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(service.made.size).toBe(1)
    expect(asked).toEqual([])
    expect(disk.size).toBe(0)
    const [first] = outcomes
    expect(first?.attempts[0]).toMatchObject({ batchId: 'msgbatch_1', status: 200, attemptNumber: 1 })
    if (first === undefined) return
    const live = listPrice({ model: facts.model, usage: sumUsage(first) })
    expect(first.attempts[0]?.cost).toBe((live ?? 0n) / 2n)
    expect(clock.now()).toBeLessThan(180_000)
  })

  it('sends one canary request for each settings hash that never succeeded before', async () => {
    const { begin, service, statuses } = setting()
    const run = begin({
      hasSucceededBefore: () => false,
      getItemSettings: (path) => ({
        provenance: { ...facts, settingsHash: path === '3.md' ? 'other' : 'r' },
        answerSettings: settings,
      }),
    })
    const { outcomes, asked } = await run.ended
    expect(asked).toEqual(['0.md', '3.md'])
    expect(statuses(outcomes)).toHaveLength(5)
    expect([...service.made.values()].map(({ items }) => items.length)).toEqual([3])
  })

  it('skips a batch of another API, and reports it', async () => {
    const { begin, notes, disk, service } = setting()
    await begin({ shouldWait: false, isDetached: true }).ended
    const batchApi = {
      ...service.batches,
      retrieve: () => Promise.reject(new AskError(createStatusError(404))),
    }
    const { outcomes } = await begin({ mode: 'collect', sources: [], endpoint: 'there', batchApi }).ended
    expect(outcomes).toEqual([])
    expect(notes.at(-1)).toBe(
      'the batch msgbatch_1, of 5 requests, belongs to here, not to the base URL in use; skipped',
    )
    expect(disk.size).toBe(1)
  })

  it('collects a batch at a new base URL of the same API', async () => {
    const { begin, statuses, service, disk } = setting()
    await begin({ shouldWait: false, isDetached: true }).ended
    const { outcomes, asked } = await begin({ endpoint: 'there' }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect([asked, service.made.size, disk.size]).toEqual([[], 1, 0])
  })

  it.each([
    ['another number of documents', { requestCount: 4 }],
    ['an earlier time', { createdAt: -7 * 3_600_000 }],
  ])('does not take a batch with the same id and %s for its own', async (_what, fields) => {
    const { begin, notes, service } = setting()
    await begin({ shouldWait: false, isDetached: true }).ended
    const retrieve: BatchApi['retrieve'] = async (...args) => ({
      ...(await service.batches.retrieve(...args)),
      ...fields,
    })
    const batchApi = { ...service.batches, retrieve }
    await begin({ mode: 'collect', sources: [], endpoint: 'there', batchApi }).ended
    expect(notes.at(-1)).toContain('belongs to here, not to the base URL in use; skipped')
  })

  it('keeps the documents of a batch pending while it is not known whether the API has it', async () => {
    const { begin, statuses, service } = setting()
    await begin({ shouldWait: false, isDetached: true }).ended
    const batchApi = {
      ...service.batches,
      retrieve: () => Promise.reject(new AskError(createStatusError(529))),
    }
    const { outcomes, asked } = await begin({ shouldWait: false, endpoint: 'there', batchApi }).ended
    expect([statuses(outcomes), asked, service.made.size]).toEqual([
      pathsOf(5).map((path) => `${path} pending`),
      [],
      1,
    ])
  })

  it('collects batches in the collect mode without sending requests', async () => {
    const { begin, statuses, service, disk } = setting()
    await begin({ shouldWait: false, isDetached: true }).ended
    const { outcomes, asked } = await begin({ mode: 'collect', sources: [] }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(asked).toEqual([])
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })

  it('creates no batch if every canary request fails', async () => {
    const { begin, service } = setting({}, pathsOf(20))
    const { outcomes, stopped, asked } = await begin(
      { hasSucceededBefore: () => false },
      createScriptedAsk(createStatusError(400)),
    ).ended
    expect(asked).toHaveLength(5)
    expect(service.made.size).toBe(0)
    expect(stopped).toMatchObject({ name: 'BatchError', isTransient: false })
    expect(outcomes.filter(({ status }) => status === 'pending')).toHaveLength(15)
  })

  it('creates several batches if the documents exceed the size of one', async () => {
    const { begin, service } = setting({}, pathsOf(10))
    expect((await begin({ maxBatchSize: { items: 4, bytes: 1e9 } }).ended).outcomes).toHaveLength(10)
    expect([...service.made.values()].map(({ items }) => items.length)).toEqual([4, 4, 2])
  })

  it('ends immediately with --detach, and the next run collects the batch and creates no other', async () => {
    const { begin, service, statuses, clock } = setting()
    const detached = await begin({ shouldWait: false, isDetached: true }).ended
    expect(statuses(detached.outcomes)).toEqual(pathsOf(5).map((path) => `${path} pending`))
    expect(detached.outcomes.every((outcome) => outcome.status === 'pending' && !outcome.deferred)).toBe(true)
    expect(detached.stopped).toBeUndefined()
    // The batch has not ended yet, so it is kept.
    expect((await begin({ shouldWait: false }).ended).outcomes).toMatchObject(
      Array(5).fill({ status: 'pending', deferred: true }),
    )
    await clock.run(clock.sleep(100_000))
    const { outcomes } = await begin().ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(service.made.size).toBe(1)
  })

  it('keeps a batch only for the results that could not be saved', async () => {
    const { begin, service, disk, ledger } = setting()
    const isKept = ({ document }: Outcome) => document.path === '0.md' || document.path === '1.md'
    const persist = async (outcome: Outcome) => isKept(outcome) && ledger.push(outcome) > 0
    await begin({ persist }).ended
    expect(disk.size).toBe(1)
    expect(ledger.map(({ document }) => document.path).sort()).toEqual(['0.md', '1.md'])

    const { outcomes } = await begin().ended
    expect(outcomes.map(({ document }) => document.path).sort()).toEqual(['2.md', '3.md', '4.md'])
    expect(outcomes).toMatchObject(Array(3).fill({ status: 'summarized' }))
    expect(service.made.size).toBe(1)
    expect(disk.size).toBe(0)
  })

  it('marks an expired request as settled in a batch that is kept for others', async () => {
    const { begin, disk } = setting({ getResult: (path) => (path === '0.md' ? 'expired' : undefined) })
    await begin({ persist: async () => false }).ended
    expect([...disk.values()]).toMatchObject([{ settled: new Set(['0.md']) }])
  })

  it('sends no live request for a document that is in a batch', async () => {
    const { begin, statuses } = setting()
    await begin({ shouldWait: false, isDetached: true }).ended
    const { outcomes, asked } = await begin({ mode: 'live', shouldWait: false }).ended
    expect(asked).toEqual([])
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} pending`))
  })

  it('B05 B06 leaves unfinished documents to the next run, which sends only those again', async () => {
    const results = new Map<string, object | string>([
      ['0.md', 'expired'],
      ['1.md', 'canceled'],
      ['2.md', { requestError: createStatusError(500, { type: 'api_error' }) }],
      ['3.md', { requestError: createStatusError(400, { type: 'invalid_request_error' }) }],
    ])
    const { begin, service, statuses } = setting({ getResult: (path) => results.get(path) as never })
    const first = await begin().ended
    expect(statuses(first.outcomes)).toEqual([
      '0.md pending',
      '1.md pending',
      '2.md pending',
      '3.md failed',
      '4.md summarized',
    ])
    results.clear()
    const second = await begin().ended
    expect(second.outcomes.map(({ status }) => status)).toEqual(Array(4).fill('summarized'))
    expect([...service.made.values()].map(({ items }) => items.length)).toEqual([5, 4])
  })

  it('fails documents whose reply was truncated, and keeps the partial text', async () => {
    const { begin } = setting({
      getResult: () => ({ reply: createReply('half a', { stopReason: 'max_tokens' }) }),
    })
    const { outcomes } = await begin().ended
    expect(outcomes).toMatchObject(
      Array(5).fill({ status: 'failed', failure: { type: 'max_tokens' }, partialText: 'half a' }),
    )
  })

  it('ends with an account error, and fails no document because of it', async () => {
    const fault = createStatusError(404, { type: 'not_found_error' })
    const { begin, ledger } = setting({ getResult: () => ({ requestError: fault }) })
    const { outcomes, stopped } = await begin().ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect(stopped).toMatchObject({ name: 'AccountError' })
    expect(ledger).toEqual([])
  })

  it.each([0, 4])('fails the document of a request that alone is refused (number %i)', async (refused) => {
    const fault = createStatusError(403, { type: 'permission_error' })
    let n = 0
    const { begin } = setting({
      getResult: () => (n++ === refused ? { requestError: fault } : { reply: createReply('A summary.') }),
    })
    const { outcomes, stopped } = await begin().ended
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['failed', ...Array(4).fill('summarized')])
    expect(stopped).toBeUndefined()
  })

  it('B12 B13 keeps polling through an hour of errors, and leaves the batch in progress on a drain', async () => {
    const { begin, service, clock, notes } = setting({
      failCall: (call) =>
        call === 'retrieve' && clock.now() < 3_600_000 ? { before: createStatusError(500) } : undefined,
    })
    const { outcomes } = await begin().ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'summarized' }))
    expect(clock.now()).toBeGreaterThan(3_600_000)
    expect(notes.filter((note) => note.startsWith('troubled')).length).toBeGreaterThan(60)

    const other = setting({ takesMs: 1e9 })
    const run = other.begin()
    void other.clock.sleep(600_000).then(() => run.shutdown.drain(new ExitError('interrupt', 'told to')))
    const stopped = await run.ended
    expect(stopped.outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect(other.disk.size).toBe(1)
    expect(service.made.size).toBe(1)
  })

  it('B09 ignores results of unknown requests and duplicate results, and reports both', async () => {
    const { begin, service, notes, statuses } = setting()
    const { fetchResults: answers } = service.batches
    const batchApi: BatchApi = {
      ...service.batches,
      async *fetchResults(...args) {
        const stranger: BatchResultLine = { customId: 'x', result: { reply: createReply('?') } }
        for await (const answer of answers(...args)) yield* [answer, stranger, answer]
      },
    }
    const { outcomes } = await begin({ batchApi }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(notes).toEqual([
      'submitted 5',
      'the results of the batch msgbatch_1 answer 5 requests twice; the first answer counts',
      'the results of the batch msgbatch_1 have 1 answer to requests that are not in it; ignored',
    ])
  })

  it('B07 fetches incomplete results again, and never treats a missing result as finished', async () => {
    const { begin, service, statuses } = setting()
    const { fetchResults: answers } = service.batches
    let downloads = 0
    const cut = (whole: number): BatchApi => ({
      ...service.batches,
      async *fetchResults(...args) {
        let line = 0
        const last = ++downloads < whole ? 2 : 99
        for await (const answer of answers(...args)) if (line++ < last) yield answer
      },
    })
    const cured = await begin({ batchApi: cut(3) }).ended
    expect(statuses(cured.outcomes)).toHaveLength(5)
    expect(downloads).toBe(3)

    const never = setting()
    const { fetchResults: all } = never.service.batches
    const batchApi: BatchApi = {
      ...never.service.batches,
      async *fetchResults(...args) {
        for await (const answer of all(...args)) if (!answer.customId?.endsWith('_0')) yield answer
      },
    }
    const { outcomes } = await never.begin({ batchApi }).ended
    expect(never.statuses(outcomes).filter((text) => text.endsWith('pending'))).toHaveLength(1)
    expect(never.disk.size).toBe(1)
  })

  it('B10 fails documents whose results have expired, with an unknown cost', async () => {
    const { begin, service, ledger, disk } = setting()
    const { retrieve } = service.batches
    const batchApi: BatchApi = {
      ...service.batches,
      retrieve: async (...args) => ({ ...(await retrieve(...args)), isArchived: true }),
    }
    const { outcomes } = await begin({ batchApi }).ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'failed', failure: { type: 'results_gone' } }))
    expect(ledger[0]?.attempts).toMatchObject([{ error: { type: 'results_gone' } }])
    expect(disk.size).toBe(0)
  })

  it('keeps documents in a batch whose results are not found, until the batch is 29 days old', async () => {
    const { begin, service, disk, clock } = setting({
      failCall: (call) =>
        call === 'answers' ? { before: createStatusError(404, { type: 'not_found_error' }) } : undefined,
    })
    const first = await begin().ended
    expect(first.stopped).toMatchObject({
      name: 'BatchError',
      message: /does not find its results; try again/,
    })
    expect(first.outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect([service.made.size, disk.size]).toEqual([1, 1])
    await clock.run(clock.sleep(29 * 86_400_000))
    const { outcomes } = await begin().ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'failed', failure: { type: 'results_gone' } }))
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })

  it('ends the run and keeps the batch if the API does not know the batch after minutes', async () => {
    const { begin, service, disk, clock } = setting()
    await begin({ shouldWait: false, isDetached: true }).ended
    service.made.clear()
    // The API may not list a new batch yet.
    expect((await begin({ shouldWait: false }).ended).stopped).toBeUndefined()
    await clock.run(clock.sleep(400_000))
    const { stopped, outcomes } = await begin().ended
    expect(stopped).toMatchObject({ name: 'UnknownBatchError', batchId: 'msgbatch_1' })
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect(disk.size).toBe(1)
  })

  it('never exceeds the budget, continues while it lasts, and then reports that it is exceeded', async () => {
    // The worst case of a request in a batch is $0.000385; its actual cost is $0.00001.
    const budget = createSharedBudget(usdToPicodollars(0.0012), listPrice)
    const { begin, service } = setting({}, pathsOf(10))
    const { outcomes, stopped } = await begin({ budget }).ended
    expect(outcomes).toHaveLength(10)
    expect(stopped).toBeUndefined()
    expect(service.made.size).toBeGreaterThan(2)
    expect(budget.getBudget().reserved).toBe(0n)

    const tight = setting({}, pathsOf(10))
    const small = createSharedBudget(usdToPicodollars(0.0005), listPrice)
    const run = await tight.begin({ budget: small, shouldWait: false, isDetached: true }).ended
    expect(run.stopped).toMatchObject({ name: 'BudgetExceededError' })
    expect([...tight.service.made.values()].map(({ items }) => items.length)).toEqual([1])
  })
})

describe('runBatches with a budget', () => {
  // Worst case of a request: $0.00031 in a batch, $0.00062 live. Actual cost: $0.00001 and $0.00002.
  const usd = (amount: number) => createSharedBudget(usdToPicodollars(amount), listPrice)
  /** Splits the documents with these names into three chunks and a final request. */
  const longOnes =
    (...names: string[]): NonNullable<SubmitOptions['planChunks']> =>
    async ({ ref: { path } }) =>
      !names.includes(path)
        ? undefined
        : {
            requestHash: `key of ${path}`,
            requests: [1, 2, 3].map((n) => createRequest(path, { user: `Part ${n} of ${path}` })),
            expectedFinalRequest: createRequest(path),
            cite: () => [],
            reduce: () => [{ request: createRequest(path), cite: () => [] }],
          }
  const all = (count: number) => pathsOf(count).map((path) => `${path} summarized`)

  it('finishes all documents even if a long one needs the budget that batches reserve', async () => {
    for (const amount of [0.0009, 0.0012, 0.002, 0.01]) {
      const budget = usd(amount)
      const { begin, statuses, service } = setting({}, pathsOf(8))
      const run = begin({ budget, planChunks: longOnes('0.md', '5.md') })
      const { outcomes, stopped, asked } = await run.ended
      expect(stopped).toBeUndefined()
      expect(statuses(outcomes)).toEqual(all(8))
      expect(asked).toEqual(['0.md', '5.md'])
      expect([...service.billed().values()]).toEqual(Array(6).fill(1))
      expect(budget.getBudget().reserved).toBe(0n)
    }
  })

  it('finishes all documents that fit the budget, and leaves the rest pending', async () => {
    const budget = usd(0.0005)
    const { begin, statuses } = setting({}, pathsOf(5))
    const { outcomes, stopped } = await begin({ budget, planChunks: longOnes('1.md') }).ended
    expect(stopped).toMatchObject({ name: 'BudgetExceededError', message: /^stopped at the budget of/ })
    expect(statuses(outcomes)).toEqual(
      pathsOf(5).map((path) => `${path} ${path === '1.md' ? 'pending' : 'summarized'}`),
    )
  })

  it('does not wait for reserved budget with --detach, and the next run finishes the documents', async () => {
    const { begin, statuses } = setting({}, pathsOf(4))
    const options: RunOptions = {
      planChunks: longOnes('3.md'),
      shouldWait: false,
      isDetached: true,
    }
    const first = await begin({ ...options, budget: usd(0.0013) }).ended
    expect(first.stopped).toMatchObject({
      name: 'BudgetExceededError',
      message: /\$0\.00116 is reserved for requests in batches/,
    })
    expect(statuses(first.outcomes)).toEqual(pathsOf(4).map((path) => `${path} pending`))
    const second = await begin({ ...options, budget: usd(0.0013), shouldWait: true }).ended
    expect(second.stopped).toBeUndefined()
    expect(statuses(second.outcomes)).toEqual(all(4))
  })

  it('reports one error once if several batches cannot be collected', async () => {
    const { begin, notes, service } = setting(
      { failCall: (call) => (call === 'answers' ? { before: createStatusError(403) } : undefined) },
      pathsOf(6),
    )
    const { stopped } = await begin({ maxBatchSize: { items: 2, bytes: 1e9 } }).ended
    expect(stopped).toMatchObject({
      name: 'AccountError',
      message: expect.stringContaining('message of 403'),
    })
    expect(service.made.size).toBe(3)
    expect(notes.filter((note) => note.includes('403'))).toEqual([])
  })

  it('does not wait for the budget reserved by a batch that cannot be collected', async () => {
    const { begin, statuses } = setting({
      failCall: (call) => (call === 'answers' ? { before: createStatusError(403) } : undefined),
    })
    const { outcomes, stopped } = await begin({ budget: usd(0.0018), planChunks: longOnes('2.md') }).ended
    expect(stopped).toMatchObject({ name: 'AccountError' })
    expect(statuses(outcomes).map((text) => text.split(' ')[1])).toEqual(Array(5).fill('pending'))
  })

  it('releases the reservation of a batch that was never created', async () => {
    const lost = { kind: 'timeout', type: 'timeout', message: 'no answer' } as const
    let creates = 0
    const budget = usd(0.002)
    const { begin, clock } = setting({
      failCall(call) {
        if (call === 'create' && creates++ === 0) return { before: lost }
        return call === 'since' && clock.now() < 60_000 ? { before: createStatusError(500) } : undefined
      },
    })
    const { outcomes } = await begin({ budget }).ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect(budget.getBudget()).toMatchObject({ reserved: 0n, spent: 0n })
  })
})

describe('a batch whose status cannot be retrieved', () => {
  it('does not delay other batches', async () => {
    const { begin, service, statuses, clock } = setting({}, pathsOf(6))
    await begin({ maxBatchSize: { items: 3, bytes: 1e9 }, shouldWait: false, isDetached: true }).ended
    await clock.run(clock.sleep(100_000))
    const { retrieve, fetchResults: answers } = service.batches
    const batchApi: BatchApi = {
      ...service.batches,
      retrieve: (id, signal) =>
        id === 'msgbatch_1' ? Promise.reject(new AskError(createStatusError(500))) : retrieve(id, signal),
      fetchResults: answers,
    }
    const first = await begin({ batchApi, shouldWait: false }).ended
    expect(statuses(first.outcomes)).toEqual(
      pathsOf(6).map((path, n) => `${path} ${n < 3 ? 'pending' : 'summarized'}`),
    )
    expect(statuses((await begin().ended).outcomes)).toEqual(pathsOf(3).map((path) => `${path} summarized`))
    expect(service.made.size).toBe(2)
  })
})

describe('an unreadable batch result', () => {
  const named = (id: string): BatchResultLine => ({
    customId: id,
    result: { unreadableReason: 'no result', line: `line of ${id}` },
  })
  const nameless: BatchResultLine = {
    customId: undefined,
    result: { unreadableReason: 'not JSON', line: 'garbage' },
  }
  /** A Batches API whose results `change` replaces; `n` is the number of the download, from 1. */
  function changed(
    { batches }: { readonly batches: BatchApi },
    change: (
      answers: readonly BatchResultLine[],
      n: number,
      batch: string,
    ) => readonly (BatchResultLine | Error)[],
  ) {
    const downloads = { count: 0 }
    const fetchResults: BatchApi['fetchResults'] = async function* (...args) {
      const n = ++downloads.count
      const all: BatchResultLine[] = []
      for await (const answer of batches.fetchResults(...args)) all.push(answer)
      for (const answer of change(all, n, args[0])) {
        if (answer instanceof Error) throw answer
        yield answer
      }
    }
    return { downloads, batches: { ...batches, fetchResults } }
  }
  const reset = new AskError({ kind: 'connection', type: 'connection_error', message: 'reset' })
  const failed = (type: string) => ({ status: 'failed', failure: { kind: 'reply', type, transient: false } })

  it('fails its document, and the other documents are summarized and billed once', async () => {
    const { begin, service, statuses, disk, ledger } = setting({}, pathsOf(9))
    const bad = (answers: readonly BatchResultLine[]) =>
      answers.map((answer) => (answer.customId?.endsWith('_3') ? named(answer.customId) : answer))
    const { batches: batchApi, downloads } = changed(service, bad)
    const { outcomes, stopped } = await begin({ batchApi }).ended
    expect(statuses(outcomes)).toEqual(
      pathsOf(9).map((path) => `${path} ${path === '3.md' ? 'failed' : 'summarized'}`),
    )
    const outcome = outcomes.find(({ document }) => document.path === '3.md')
    expect(outcome).toMatchObject({
      ...failed('batch_result_unreadable'),
      partialText: expect.stringMatching(/^line of /),
      attempts: [{ error: { kind: 'malformed' } }],
    })
    expect(stopped).toBeUndefined()
    // The result was billed, so it is a failure only if a second download is unreadable, too.
    expect(downloads.count).toBe(2)
    expect([service.made.size, disk.size, ledger.length]).toEqual([1, 0, 9])
  })

  it('is read from a second download if that is readable', async () => {
    const { begin, service, statuses } = setting()
    const { batches: batchApi } = changed(service, (answers, n) =>
      n === 1 ? [nameless, named(answers[1]?.customId ?? ''), ...answers.slice(2)] : answers,
    )
    const { outcomes } = await begin({ batchApi }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
  })

  it.each([
    ['the one request without a result', 1],
    ['each of three requests without a result if there are three such lines', 3],
  ])('without a custom_id fails %s', async (_, count) => {
    const { begin, service, disk } = setting()
    const { batches: batchApi } = changed(service, (answers) => [
      ...Array<BatchResultLine>(count).fill(nameless),
      ...answers.slice(count),
    ])
    const { outcomes } = await begin({ batchApi }).ended
    const unread = outcomes.filter(({ status }) => status === 'failed')
    expect(unread).toMatchObject(Array(count).fill(failed('batch_result_unreadable')))
    expect(unread[0]).toMatchObject({ partialText: Array(count).fill('garbage').join('\n') })
    expect(outcomes).toHaveLength(5)
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })

  it('fails no document whose line may be missing, and no document is sent again', async () => {
    const { begin, service, statuses, disk } = setting()
    const { batches: batchApi } = changed(service, (answers) => [nameless, ...answers.slice(1, 4)])
    const first = await begin({ batchApi }).ended
    expect(statuses(first.outcomes).map((text) => text.split(' ')[1])).toEqual([
      'pending',
      'summarized',
      'summarized',
      'summarized',
      'pending',
    ])
    expect([service.made.size, disk.size]).toEqual([1, 1])
    // Later runs behave the same until the results are complete.
    await begin({ batchApi, mode: 'live' }).ended
    expect(service.made.size).toBe(1)
    const { outcomes } = await begin().ended
    expect(statuses(outcomes)).toEqual(['0.md summarized', '4.md summarized'])
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })

  it('keeps its batch, whose expired request is sent again only once', async () => {
    const { begin, service, statuses, disk } = setting({
      getResult: (path) => (path === '1.md' && service.made.size === 1 ? 'expired' : undefined),
    })
    const { batches: batchApi } = changed(service, (answers, _, batch) =>
      batch === 'msgbatch_1' ? answers.filter(({ customId: id }) => !id?.endsWith('_0')) : answers,
    )
    await begin({ batchApi, shouldWait: false, isDetached: true }).ended
    await begin({ batchApi, shouldWait: false }).ended
    const first = await begin({ batchApi }).ended
    expect(statuses(first.outcomes)).toEqual([
      '0.md pending',
      '1.md pending',
      '2.md summarized',
      '3.md summarized',
      '4.md summarized',
    ])
    expect(statuses((await begin({ batchApi }).ended).outcomes)).toEqual(['0.md pending', '1.md summarized'])
    // The expired request is still among the results of the first batch.
    expect(statuses((await begin({ batchApi }).ended).outcomes)).toEqual(['0.md pending'])
    expect([service.made.size, disk.size]).toEqual([2, 1])
  })

  it('is ignored if the download was interrupted', async () => {
    const { begin, service, statuses } = setting()
    const { batches: batchApi } = changed(service, (answers, n) =>
      n < 4 ? [nameless, nameless, ...answers.slice(2, 3), reset] : answers,
    )
    const { outcomes } = await begin({ batchApi }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
  })

  it('does not override a valid result of the same request', async () => {
    const { begin, service, statuses } = setting()
    const { batches: batchApi } = changed(service, (answers) =>
      answers.flatMap((answer) => [named(answer.customId ?? ''), answer, named(answer.customId ?? '')]),
    )
    const { outcomes } = await begin({ batchApi }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
  })

  it('does not prevent the recovery of an unconfirmed batch by its other results', async () => {
    let creates = 0
    const lost = { kind: 'timeout', type: 'timeout', message: 'no answer' } as const
    const { begin, service, disk } = setting({
      failCall: (call) => (call === 'create' && creates++ === 0 ? { after: lost } : undefined),
    })
    const { batches: batchApi } = changed(service, (answers) => [nameless, ...answers.slice(1)])
    const { outcomes } = await begin({ batchApi }).ended
    expect(outcomes.filter(({ status }) => status === 'summarized')).toHaveLength(4)
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })
})

describe('creating a batch', () => {
  const lost = { kind: 'timeout', type: 'timeout', message: 'no answer' } as const

  it.each([
    ['created the batch', { after: lost }, 1],
    ['did not create the batch', { before: lost }, 2],
    ['created the batch, but a gateway timed out', { after: createStatusError(504) }, 1],
    ['created the batch, but reported a timeout', { after: createStatusError(408) }, 1],
    ['was overloaded', { before: createStatusError(529) }, 2],
  ] as const)(
    'B02 is repeated after an unconfirmed request only if no such batch is found: the API %s',
    async (_, first, calls) => {
      let creates = 0
      const { begin, service, statuses } = setting({
        failCall: (call) => (call === 'create' && creates++ === 0 ? first : undefined),
      })
      const { outcomes } = await begin().ended
      expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
      expect(service.made.size).toBe(1)
      expect(creates).toBe(calls)
    },
  )

  it.each([429, 500, 503, 529])(
    'is not repeated if the API created the batch despite status %i',
    async (status) => {
      let creates = 0
      const { begin, service, statuses } = setting({
        failCall: (call) =>
          call === 'create' && creates++ === 0 ? { after: createStatusError(status) } : undefined,
      })
      const { outcomes } = await begin().ended
      expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
      expect([service.made.size, creates]).toEqual([1, 1])
    },
  )

  it('recovers two unconfirmed batches of the same size', async () => {
    let creates = 0
    const { begin, service, statuses } = setting(
      { failCall: (call) => (call === 'create' && creates++ < 2 ? { after: lost } : undefined) },
      pathsOf(4),
    )
    const { outcomes } = await begin({ maxBatchSize: { items: 2, bytes: 1e9 } }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(4).map((path) => `${path} summarized`))
    expect([service.made.size, creates]).toEqual([2, 2])
  })

  it('ends the run and fails no document if the workspace may not use batches', async () => {
    const fault = createStatusError(400, { code: 'workspace_human_review_disabled' })
    const { begin, service, ledger } = setting({ refuseBatch: () => fault })
    const { outcomes, stopped } = await begin().ended
    expect(stopped).toMatchObject({ name: 'AccountError' })
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect([service.made.size, ledger]).toEqual([0, []])
  })

  describe('that the API refuses because of some documents', () => {
    const invalid = (message: string) => createStatusError(400, { type: 'invalid_request_error', message })
    const saying = {
      'names the index of the request': (_: string, at: number) =>
        `requests.${at}.params.messages: not valid`,
      'does not name it': () => 'The request body is not valid JSON',
    }

    it.each(Object.entries(saying))(
      'fails only those documents and sends all others if the message %s',
      async (_name, messageFor) => {
        await fc.assert(
          fc.asyncProperty(
            fc.integer({ min: 2, max: 40 }),
            fc.uniqueArray(fc.nat(39), { maxLength: 3 }),
            async (count, numbers) => {
              const bad = new Set(numbers.map((n) => `${n}.md`))
              let creates = 0
              const { begin, service, disk, outcomesOf } = refusing(count, (paths) => {
                creates++
                const at = paths.findIndex((path) => bad.has(path))
                return at < 0 ? undefined : invalid(messageFor(paths[at] ?? '', at))
              })
              const { outcomes, stopped } = await begin().ended
              const isBad = (path: string) => bad.has(path)
              if (pathsOf(count).every(isBad)) return
              expect(stopped).toBeUndefined()
              expect(outcomesOf(outcomes)).toEqual(
                pathsOf(count)
                  .map((path) => `${path} ${isBad(path) ? 'failed' : 'summarized'}`)
                  .sort(),
              )
              expect([...service.billed().values()].every((times) => times === 1)).toBe(true)
              expect(disk.size).toBe(0)
              expect(creates).toBeLessThanOrEqual(2 * bad.size * Math.ceil(Math.log2(count) + 1) + 1)
            },
          ),
          { numRuns: 60 },
        )
      },
    )

    it('splits a batch that is too large into halves', async () => {
      const { begin, service, outcomesOf } = refusing(10, (paths) =>
        paths.length > 3 ? createStatusError(413, { type: 'request_too_large' }) : undefined,
      )
      const { outcomes } = await begin().ended
      expect(outcomesOf(outcomes)).toEqual(pathsOf(10).map((path) => `${path} summarized`))
      expect([...service.made.values()].map(({ items }) => items.length)).toEqual([3, 2, 3, 2])
    })

    it('copies the message to the failure of the document, and releases its reservation', async () => {
      const budget = createSharedBudget(usdToPicodollars(0.01), listPrice)
      const { begin } = refusing(3, (paths) =>
        paths.includes('1.md') ? invalid('requests.1.params: surrogates') : undefined,
      )
      const { outcomes } = await begin({ budget }).ended
      expect(outcomes.find(({ document }) => document.path === '1.md')).toMatchObject({
        status: 'failed',
        failure: { kind: 400, message: 'requests.1.params: surrogates', transient: false },
      })
      expect(budget.getBudget().reserved).toBe(0n)
    })

    it('gives up after a few attempts and fails no document if nothing is accepted', async () => {
      let creates = 0
      const { begin, disk, ledger } = refusing(1000, () => {
        creates++
        return invalid('Batches are not for you')
      })
      const { outcomes, stopped } = await begin().ended
      expect(stopped).toMatchObject({ name: 'BatchError', message: /Batches are not for you/ })
      expect(outcomes).toMatchObject(Array(1000).fill({ status: 'pending' }))
      expect(creates).toBeLessThan(30)
      expect([disk.size, ledger]).toEqual([0, []])
    })

    function refusing(count: number, refuseBatch: NonNullable<BatchScript['refuseBatch']>) {
      const world = setting({ refuseBatch }, pathsOf(count))
      return { ...world, outcomesOf: world.statuses }
    }
  })

  it.each<[string, (since: BatchApi['listSince']) => BatchApi['listSince']]>([
    [
      'is listed only after seconds',
      (since) => {
        let looks = 0
        return async (...args) => (looks++ < 2 ? { batches: [], isComplete: true } : since(...args))
      },
    ],
    [
      'has a creation time five minutes before the request, by the clock of the API',
      (since) => async (time, signal) => since(time + 300_000, signal),
    ],
    [
      'was created while the clock of this machine was two days ahead',
      (since) => async (time, signal) => since(time + 2 * 86_400_000, signal),
    ],
  ])('recovers an unconfirmed batch that %s', async (_, changed) => {
    let creates = 0
    const { begin, service, statuses } = setting({
      failCall: (call) => (call === 'create' && creates++ === 0 ? { after: lost } : undefined),
    })
    const batchApi: BatchApi = { ...service.batches, listSince: changed(service.batches.listSince) }
    const { outcomes } = await begin({ batchApi }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(creates).toBe(1)
  })

  it('saves the id of a recovered batch for the next run', async () => {
    let creates = 0
    const { begin, disk } = setting({
      failCall: (call) => (call === 'create' && creates++ === 0 ? { after: lost } : undefined),
    })
    await begin({ persist: async () => false }).ended
    expect([...disk.values()]).toMatchObject([{ id: 'msgbatch_1' }])
  })

  it('does not confuse an unconfirmed batch with another batch of the same size', async () => {
    const { begin, service, statuses } = setting({
      failCall: (call) => (call === 'create' && service.made.size === 0 ? { after: lost } : undefined),
    })
    const other = { ...(await foreign()), id: 'msgbatch_0' }
    service.made.set('msgbatch_0', {
      batch: other,
      items: pathsOf(5).map((path) => ({ custom_id: path, path })),
    })
    async function foreign(): Promise<Batch> {
      return {
        id: '',
        state: 'in_progress',
        requestCount: 5,
        createdAt: Date.parse('2026-11-22T12:00:00Z'),
        isArchived: false,
      }
    }
    const { outcomes } = await begin().ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
  })
})

describe('runs with crashes, interrupted downloads and bad results, repeated until all is done', () => {
  const crash = new Error('crash')
  const kinds = ['good', 'expired', 'canceled', 'unreadable', 'nameless', 'invalid'] as const
  const trouble = fc.record({ at: fc.nat(60), after: fc.boolean() })
  const download = fc.record({ lines: fc.nat(12), doubled: fc.nat(12), breaks: fc.boolean() })

  type Example = [
    fates: (typeof kinds)[number][],
    crashes: { at: number; after: boolean }[],
    downloads: { lines: number; doubled: number; breaks: boolean }[],
  ]
  const examples: Example[] = [
    // Without any custom_id in its results, an unconfirmed batch cannot be identified.
    ...[1, 2, 3].map((at): Example => [['nameless'], [{ at, after: true }], []]),
    // The custom_id that identifies a batch is in the part of its results that the first download lacks.
    [
      ['canceled'],
      [0, 28].map((at) => ({ at, after: false })),
      [1, 0].map((lines) => ({ lines, doubled: 0, breaks: false })),
    ],
  ]

  it('pay for each document once, and record one outcome for each', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 9 }),
        fc.array(trouble, { maxLength: 4 }),
        fc.array(download, { maxLength: 4 }),
        async (fates, crashes, downloads) => {
          const paths = fates.map((_, n) => `${n}.md`)
          const cuts = [...downloads]
          const fateOf = (path: string) => fates[Number.parseInt(path, 10)] ?? 'good'
          let calls = 0
          let isDead = false
          /** Decides whether the run crashes before or after the next call or change of the store. */
          const happens = () => {
            const crashed = isDead ? { after: false } : crashes.find(({ at }) => at === calls++)
            isDead ||= crashed !== undefined
            return crashed && (crashed.after ? { after: crash } : { before: crash })
          }
          const world = setting(
            {
              failCall: happens,
              getResult(path, batch) {
                const fate = fateOf(path)
                if (fate === 'invalid') return { requestError: createStatusError(400) }
                if (fate !== 'expired' && fate !== 'canceled') return undefined
                // Only the first batch with this document fails to process it, without billing.
                const holds = [...world.service.made].filter(([, { items }]) =>
                  items.some((item) => item.path === path),
                )
                return holds[0]?.[0] === batch ? fate : undefined
              },
            },
            paths,
          )
          const { service, ledger, disk, clock } = world
          const answers: BatchApi['fetchResults'] = async function* (...args) {
            const cut = cuts.shift()
            let n = 0
            for await (const answer of service.batches.fetchResults(...args)) {
              if (cut !== undefined && n === cut.lines) {
                if (!cut.breaks) return
                throw new AskError({ kind: 'connection', type: 'connection_error', message: 'reset' })
              }
              const item = service.made.get(args[0])?.items.find((item) => item.custom_id === answer.customId)
              const fate = fateOf(item?.path ?? '')
              const result: UnreadableResult = { unreadableReason: 'no result', line: 'line' }
              const line: BatchResultLine =
                fate === 'unreadable' && answer.customId !== undefined
                  ? { customId: answer.customId, result }
                  : fate === 'nameless'
                    ? { customId: undefined, result }
                    : answer
              yield line
              // A duplicate line without a custom_id could conceal a missing line, so it is not duplicated.
              if (n++ === cut?.doubled && fate !== 'nameless') yield line
            }
          }
          const isRecorded = (id: string, path: string) =>
            ledger.some((it) => it.document.path === path && it.attempts.at(-1)?.batchId === id)
          const changes = async <T>(_: string, work: () => T) => {
            const it = happens()
            if (it?.before !== undefined) throw it.before
            const done = work()
            if (it !== undefined) throw it.after
            return done
          }
          for (
            let runs = 0;
            runs < 12 && (runs === 0 || ledger.length < paths.length || disk.size > 0);
            runs++
          ) {
            isDead = false
            const persist = async (outcome: Outcome) =>
              changes('keep', () => {
                if (outcome.status === 'summarized' || outcome.status === 'failed') ledger.push(outcome)
                return true
              })
            const sources = paths
              .filter((path) => !ledger.some(({ document }) => document.path === path))
              .map((path, index) => ({ index, path, namedByUser: true }))
            const run = world.begin({
              batchApi: { ...service.batches, fetchResults: answers },
              store: createMemoryBatchStore(disk, clock, isRecorded, changes),
              maxBatchSize: { items: 4, bytes: 1e9 },
              sources,
              persist,
            })
            await run.ended.catch((error: unknown) => {
              if (error !== crash) throw error
            })
          }
          const counts = [...service.billed()].filter(([path]) => fateOf(path) !== 'invalid')
          expect(counts.every(([, count]) => count === 1)).toBe(true)
          // An unconfirmed batch is not recognized if no line of its results has a custom_id.
          const open = [...disk.values()].flatMap(({ documents }) => [...documents.values()])
          const unknown = open.map(({ path }: { path: string }) => path)
          expect(unknown.filter((path) => fateOf(path) !== 'nameless')).toEqual([])
          const known = paths.filter((path) => !unknown.includes(path))
          expect(ledger.map(({ document }) => document.path).sort()).toEqual([...known].sort())
          for (const { document, status } of ledger) {
            const isGood = ['good', 'expired', 'canceled'].includes(fateOf(document.path))
            expect(`${document.path} ${status}`).toBe(`${document.path} ${isGood ? 'summarized' : 'failed'}`)
          }
        },
      ),
      { numRuns: 60, examples },
    )
  })
})

describe('runs that crash at any call, repeated until all is done', () => {
  it('send each accepted document once if the API refuses one', async () => {
    const crash = new Error('crash')
    const call = fc.record({ at: fc.nat(40), after: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { maxLength: 4 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(8),
        async (crashes, size, bad) => {
          let calls = 0
          let isDead = false
          const happens = () => {
            const crashed = isDead ? { after: false } : crashes.find(({ at }) => at === calls++)
            isDead ||= crashed !== undefined
            return crashed && (crashed.after ? { after: crash } : { before: crash })
          }
          const refuseBatch = (paths: readonly string[]) =>
            paths.includes(`${bad}.md`) ? createStatusError(400, { message: 'bad' }) : undefined
          const { begin, service, ledger, paths, disk, clock } = setting(
            { failCall: happens, refuseBatch },
            pathsOf(size),
          )
          const changes = async <T>(_: string, work: () => T) => {
            const it = happens()
            if (it?.before !== undefined) throw it.before
            const done = work()
            if (it !== undefined) throw it.after
            return done
          }
          const isRecorded = (id: string, path: string) =>
            ledger.some((it) => it.document.path === path && it.attempts.at(-1)?.batchId === id)
          for (let runs = 0; runs < 8 && (runs === 0 || ledger.length < size || disk.size > 0); runs++) {
            isDead = false
            const sources = paths
              .filter((path) => !ledger.some(({ document }) => document.path === path))
              .map((path, index) => ({ index, path, namedByUser: true }))
            const run = begin({
              store: createMemoryBatchStore(disk, clock, isRecorded, changes),
              sources,
              persist: (outcome) =>
                changes('keep', () => {
                  if (outcome.status === 'summarized' || outcome.status === 'failed') ledger.push(outcome)
                  return true
                }),
            })
            await run.ended.catch((error: unknown) => {
              if (error !== crash) throw error
            })
          }
          expect([...service.billed().values()].every((count) => count === 1)).toBe(true)
          expect(ledger.map(({ document, status }) => `${document.path} ${status}`).sort()).toEqual(
            paths.map((path) => `${path} ${path === `${bad}.md` ? 'failed' : 'summarized'}`).sort(),
          )
          expect(disk.size).toBe(0)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('B01 B08 pay for each document once, and record one summary for each', async () => {
    const crash = new Error('crash')
    const call = fc.record({ at: fc.integer({ min: 0, max: 30 }), after: fc.boolean(), dies: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { maxLength: 6 }),
        fc.integer({ min: 1, max: 12 }),
        async (troubles, size) => {
          let calls = 0
          const reset = {
            kind: 'connection',
            type: 'connection_error',
            message: 'reset',
            code: 'ECONNRESET',
          } as const
          const { begin, service, ledger, paths, disk } = setting(
            {
              failCall() {
                const n = calls++
                const hit = troubles.find(({ at }) => at === n)
                if (hit === undefined) return undefined
                const what = hit.dies ? crash : reset
                return hit.after ? { after: what } : { before: what }
              },
            },
            pathsOf(size),
          )
          for (let runs = 0; runs < 10; runs++) {
            const run = begin({ maxBatchSize: { items: 5, bytes: 1e9 } })
            await run.ended.catch((error: unknown) => {
              if (error !== crash) throw error
            })
            if (ledger.length >= paths.length && disk.size === 0) break
          }
          expect([...service.billed().values()].every((count) => count === 1)).toBe(true)
          expect(ledger.map(({ document, status }) => `${document.path} ${status}`).sort()).toEqual(
            paths.map((path) => `${path} summarized`).sort(),
          )
          expect(disk.size).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })
})
