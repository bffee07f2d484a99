import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BatchAnswer } from '../../../src/core/batch/batch.ts'
import type { Batches } from '../../../src/core/batch/batch-api.ts'
import type { Source } from '../../../src/core/document/document.ts'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import { listPrice, picodollars } from '../../../src/core/pricing/price.ts'
import { type Outcome, usageOf } from '../../../src/core/run/outcome.ts'
import { type BatchJob, batchAll } from '../../../src/engine/batch/run-batches.ts'
import { createSlots } from '../../../src/engine/middleware/semaphore.ts'
import { recorded } from '../../../src/engine/middleware/with-attempt-log.ts'
import { createPurse } from '../../../src/engine/middleware/with-budget.ts'
import { createHalt } from '../../../src/engine/shutdown.ts'
import { summarizeAll } from '../../../src/engine/summarize-documents.ts'
import { RunError } from '../../../src/errors.ts'
import { replyOf, requestFor, scriptedAsk, statusFault } from '../../support/scripted-ask.ts'
import { type BatchScript, batchStoreOn, scriptedBatches } from '../../support/scripted-batches.ts'
import { virtualClock } from '../../support/virtual-clock.ts'

const pathsOf = (count: number) => Array.from({ length: count }, (_, n) => `${n}.md`)
const facts = { prompt: 'summarize@v2', model: 'claude-haiku-5-5', recipe: 'r' }

const settings = { maxTokens: 1024, frontMatter: false }

/** A folder that runs one after another work on, and the service they ask. */
function setting(script: Partial<BatchScript> = {}, paths = pathsOf(5)) {
  const clock = virtualClock()
  const service = scriptedBatches({ clock, ...script })
  const disk = new Map()
  /** What is in the ledger: outcomes by path, with the batch they came out of. */
  const ledger: Outcome[] = []
  const isDone = (path: string) =>
    ledger.some(({ source, status }) => source.path === path && status === 'summarized')
  const notes: string[] = []

  /** @returns what a run yields, and why it stopped */
  const begin = (options: Partial<BatchJob> = {}, ask = scriptedAsk('ok')) => {
    const halt = createHalt()
    const asked: string[] = []
    const sources: Source[] = paths
      .filter((path) => !isDone(path))
      .map((path, index) => ({ index, path, named: true }))
    const common = {
      read: async (source: Source) => ({
        source,
        text: source.path,
        bytes: { size: 1, sha256: source.path },
      }),
      requestFor: ({ source }: { source: Source }) => requestFor(source.path),
      explain: ({ fault }: AskError) => new RunError('refused', fault.message),
      keep: async (outcome: Outcome) => {
        const { status, attempts } = outcome
        if (status === 'summarized' || status === 'failed' || attempts.length > 0) ledger.push(outcome)
        return true
      },
      halt,
      clock,
    }
    const sender = recorded(ask, clock, { sent() {}, ended() {} })
    const live: BatchJob['live'] = (given) => {
      async function* sources() {
        for await (const source of given) {
          asked.push(source.path)
          yield source
        }
      }
      return summarizeAll({
        ...common,
        sources: sources(),
        slots: createSlots(() => 2),
        ...(options.partsOf !== undefined && { partsOf: options.partsOf }),
        ask: options.purse?.within(sender, halt.drain) ?? sender,
      })
    }
    const job: BatchJob = {
      ...common,
      sources,
      live,
      batches: service.batches,
      store: batchStoreOn(disk, clock, (id, path) =>
        ledger.some(({ source, attempts }) => source.path === path && attempts.at(-1)?.batch === id),
      ),
      endpoint: 'here',
      factsFor: () => facts,
      settingsFor: () => settings,
      checksFor: async () => ({ flaw: () => undefined, doubts: () => [] }),
      priceOf: listPrice,
      aside: new Map(),
      random: () => 1,
      retries: 3,
      submits: true,
      waits: true,
      detached: false,
      isProven: () => true,
      wayOf: () => 'r',
      listener: {
        answered() {},
        troubled: ({ fault }) => notes.push(`troubled: ${fault.type}`),
        odd: (text) => notes.push(text),
        elsewhere: ({ endpoint }) => notes.push(`elsewhere: ${endpoint}`),
        movedOn: (count) => notes.push(`moved on ${count}`),
        submitted: ({ documents }) => notes.push(`submitted ${documents.size}`),
        waiting() {},
        left: (batches) => notes.push(`left ${batches.length}`),
      },
      ...options,
    }
    const all = async () => {
      const outcomes: Outcome[] = []
      for await (const outcome of batchAll(job)) outcomes.push(outcome)
      return { outcomes, stopped: halt.drain.reason as unknown, asked }
    }
    return { halt, ended: clock.run(all()) }
  }
  const statuses = (outcomes: readonly Outcome[]) =>
    outcomes.map(({ source, status }) => `${source.path} ${status}`).sort()
  return { clock, service, disk, ledger, notes, begin, statuses, paths }
}

describe('a run by batches', () => {
  it('packs all documents into one, waits for it, and has an outcome for each, at half the price', async () => {
    const { begin, service, statuses, disk, clock } = setting()
    const { outcomes, asked } = await begin().ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(service.made.size).toBe(1)
    expect(asked).toEqual([])
    expect(disk.size).toBe(0)
    const [first] = outcomes
    expect(first?.attempts[0]).toMatchObject({ batch: 'msgbatch_1', status: 200, attempt: 1 })
    if (first === undefined) return
    const live = listPrice({ model: facts.model, usage: usageOf(first) })
    expect(first.attempts[0]?.cost).toBe((live ?? 0n) / 2n)
    expect(clock.now()).toBeLessThan(180_000)
  })

  it('asks one document of each way live first, where that way was never taken before', async () => {
    const { begin, service, statuses } = setting()
    const run = begin({ isProven: () => false, wayOf: ({ path }) => (path === '3.md' ? 'other' : 'r') })
    const { outcomes, asked } = await run.ended
    expect(asked).toEqual(['0.md', '3.md'])
    expect(statuses(outcomes)).toHaveLength(5)
    expect([...service.made.values()].map(({ items }) => items.length)).toEqual([3])
  })

  it('makes no batch where no document is answered live', async () => {
    const { begin, service } = setting({}, pathsOf(20))
    const { outcomes, stopped, asked } = await begin({ isProven: () => false }, scriptedAsk(statusFault(400)))
      .ended
    expect(asked).toHaveLength(5)
    expect(service.made.size).toBe(0)
    expect(stopped).toMatchObject({ exit: 'refused' })
    expect(outcomes.filter(({ status }) => status === 'pending')).toHaveLength(15)
  })

  it('makes as many as their limits demand', async () => {
    const { begin, service } = setting({}, pathsOf(10))
    expect((await begin({ limits: { requests: 4, bytes: 1e9 } }).ended).outcomes).toHaveLength(10)
    expect([...service.made.values()].map(({ items }) => items.length)).toEqual([4, 4, 2])
  })

  it('left to themselves end a run at once, and the next one collects them and makes no other', async () => {
    const { begin, service, statuses, clock } = setting()
    const detached = await begin({ waits: false, detached: true }).ended
    expect(statuses(detached.outcomes)).toEqual(pathsOf(5).map((path) => `${path} pending`))
    expect(detached.outcomes.every((outcome) => outcome.status === 'pending' && !outcome.later)).toBe(true)
    expect(detached.stopped).toBeUndefined()
    // Too early: it stays where it is.
    expect((await begin({ waits: false }).ended).outcomes).toMatchObject(
      Array(5).fill({ status: 'pending', later: true }),
    )
    await clock.run(clock.sleep(100_000))
    const { outcomes } = await begin().ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(service.made.size).toBe(1)
  })

  it('is kept for the answers that could not be made safe, and for no others', async () => {
    const { begin, service, disk, ledger } = setting()
    const isKept = ({ source }: Outcome) => source.path === '0.md' || source.path === '1.md'
    const keep = async (outcome: Outcome) => isKept(outcome) && ledger.push(outcome) > 0
    await begin({ keep }).ended
    expect(disk.size).toBe(1)
    expect(ledger.map(({ source }) => source.path).sort()).toEqual(['0.md', '1.md'])

    const { outcomes } = await begin().ended
    expect(outcomes.map(({ source }) => source.path).sort()).toEqual(['2.md', '3.md', '4.md'])
    expect(outcomes).toMatchObject(Array(3).fill({ status: 'summarized' }))
    expect(service.made.size).toBe(1)
    expect(disk.size).toBe(0)
  })

  it('notes that a single document needs no answer any more, where it is kept for the others', async () => {
    const { begin, disk } = setting({ resultOf: (path) => (path === '0.md' ? 'expired' : undefined) })
    await begin({ keep: async () => false }).ended
    expect([...disk.values()]).toMatchObject([{ settled: new Set(['0.md']) }])
  })

  it('is not asked live about what is in a batch', async () => {
    const { begin, statuses } = setting()
    await begin({ waits: false, detached: true }).ended
    const { outcomes, asked } = await begin({ submits: false, waits: false }).ended
    expect(asked).toEqual([])
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} pending`))
  })

  it('takes the rest of a live run that is too slow, and nothing twice', async () => {
    const { begin, service, statuses, notes } = setting({}, pathsOf(8))
    const run = begin({ submits: false, movesOn: (left) => left <= 5 })
    const { outcomes, asked } = await run.ended
    expect(asked).toEqual(['0.md', '1.md', '2.md'])
    expect(statuses(outcomes)).toEqual(pathsOf(8).map((path) => `${path} summarized`))
    expect([...service.made.values()].map(({ items }) => items.length)).toEqual([5])
    expect(notes).toContain('moved on 5')
  })

  it('B05 B06 leaves what was not done to the next run, which asks again for that alone', async () => {
    const results = new Map<string, object | string>([
      ['0.md', 'expired'],
      ['1.md', 'canceled'],
      ['2.md', { fault: statusFault(500, { type: 'api_error' }) }],
      ['3.md', { fault: statusFault(400, { type: 'invalid_request_error' }) }],
    ])
    const { begin, service, statuses } = setting({ resultOf: (path) => results.get(path) as never })
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

  it('takes no cut-off or refused reply for a summary', async () => {
    const { begin } = setting({
      resultOf: () => ({ reply: replyOf('half a', { stopReason: 'max_tokens' }) }),
    })
    const { outcomes } = await begin().ended
    expect(outcomes).toMatchObject(
      Array(5).fill({ status: 'failed', failure: { type: 'max_tokens' }, partial: 'half a' }),
    )
  })

  it('a fault of the account ends it, and blames no document', async () => {
    const fault = statusFault(404, { type: 'not_found_error' })
    const { begin, ledger } = setting({ resultOf: () => ({ fault }) })
    const { outcomes, stopped } = await begin().ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect(stopped).toMatchObject({ exit: 'refused' })
    expect(ledger).toEqual([])
  })

  it.each([0, 4])(
    'a request that alone is refused is a failure of its document (number %i)',
    async (refused) => {
      const fault = statusFault(403, { type: 'permission_error' })
      let n = 0
      const { begin } = setting({
        resultOf: () => (n++ === refused ? { fault } : { reply: replyOf('A summary.') }),
      })
      const { outcomes, stopped } = await begin().ended
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['failed', ...Array(4).fill('summarized')])
      expect(stopped).toBeUndefined()
    },
  )

  it('B12 B13 asks on through an hour of trouble, and told to stop leaves the batch at work', async () => {
    const { begin, service, clock, notes } = setting({
      trouble: (call) =>
        call === 'retrieve' && clock.now() < 3_600_000 ? { before: statusFault(500) } : undefined,
    })
    const { outcomes } = await begin().ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'summarized' }))
    expect(clock.now()).toBeGreaterThan(3_600_000)
    expect(notes.filter((note) => note.startsWith('troubled')).length).toBeGreaterThan(60)

    const other = setting({ takesMs: 1e9 })
    const run = other.begin()
    void other.clock.sleep(600_000).then(() => run.halt.stop(new RunError('interrupt', 'told to')))
    const stopped = await run.ended
    expect(stopped.outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect(other.disk.size).toBe(1)
    expect(service.made.size).toBe(1)
  })

  it('B09 ignores answers to unknown requests and second answers, and reports both', async () => {
    const { begin, service, notes, statuses } = setting()
    const { answers } = service.batches
    const batches = {
      ...service.batches,
      async *answers(...args: Parameters<typeof answers>) {
        const stranger = { id: 'x', result: { reply: replyOf('?') } } as const
        for await (const answer of answers(...args)) yield* [answer, stranger, answer]
      },
    }
    const { outcomes } = await begin({ batches }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(notes).toEqual([
      'submitted 5',
      'the results of the batch msgbatch_1 answer 5 requests twice; the first answer counts',
      'the results of the batch msgbatch_1 have 1 answer to requests that are not in it; ignored',
    ])
  })

  it('B07 fetches results again that end too early, and never takes what is missing for done', async () => {
    const { begin, service, statuses } = setting()
    const { answers } = service.batches
    let downloads = 0
    const cut = (whole: number) => ({
      ...service.batches,
      async *answers(...args: Parameters<typeof answers>) {
        let line = 0
        const last = ++downloads < whole ? 2 : 99
        for await (const answer of answers(...args)) if (line++ < last) yield answer
      },
    })
    const cured = await begin({ batches: cut(3) }).ended
    expect(statuses(cured.outcomes)).toHaveLength(5)
    expect(downloads).toBe(3)

    const never = setting()
    const { answers: all } = never.service.batches
    const batches = {
      ...never.service.batches,
      async *answers(...args: Parameters<typeof answers>) {
        for await (const answer of all(...args)) if (!answer.id?.endsWith('_0')) yield answer
      },
    }
    const { outcomes } = await never.begin({ batches }).ended
    expect(never.statuses(outcomes).filter((text) => text.endsWith('pending'))).toHaveLength(1)
    expect(never.disk.size).toBe(1)
  })

  it('B10 says of results that are gone that they are, and of what they cost that it is unknown', async () => {
    const { begin, service, ledger, disk } = setting()
    const { retrieve } = service.batches
    const batches = {
      ...service.batches,
      retrieve: async (...args: Parameters<typeof retrieve>) => ({
        ...(await retrieve(...args)),
        archived: true,
      }),
    }
    const { outcomes } = await begin({ batches }).ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'failed', failure: { type: 'results_gone' } }))
    expect(ledger[0]?.attempts).toMatchObject([{ fault: { type: 'results_gone' } }])
    expect(disk.size).toBe(0)
  })

  it('results that the API does not find keep their documents in the batch, until they are 29 days old', async () => {
    const { begin, service, disk, clock } = setting({
      trouble: (call) =>
        call === 'answers' ? { before: statusFault(404, { type: 'not_found_error' }) } : undefined,
    })
    const first = await begin().ended
    expect(first.stopped).toMatchObject({ exit: 'refused', message: /does not find its results; run again/ })
    expect(first.outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect([service.made.size, disk.size]).toEqual([1, 1])
    await clock.run(clock.sleep(29 * 86_400_000))
    const { outcomes } = await begin().ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'failed', failure: { type: 'results_gone' } }))
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })

  it('a batch that the service does not know, long after it was made, is kept, and ends the run', async () => {
    const { begin, service, disk, clock } = setting()
    await begin({ waits: false, detached: true }).ended
    service.made.clear()
    // It might just be new.
    expect((await begin({ waits: false }).ended).stopped).toBeUndefined()
    await clock.run(clock.sleep(400_000))
    const { stopped, outcomes } = await begin().ended
    expect(stopped).toMatchObject({ exit: 'refused', message: /does not know the batch msgbatch_1/ })
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect(disk.size).toBe(1)
  })

  it('keeps to a cap, goes on as long as there is room, and then says what stopped it', async () => {
    // The worst case of one is $0.000385 in a batch, what it does cost $0.00001.
    const purse = createPurse(picodollars(0.0012), listPrice)
    const { begin, service } = setting({}, pathsOf(10))
    const { outcomes, stopped } = await begin({ purse }).ended
    expect(outcomes).toHaveLength(10)
    expect(stopped).toBeUndefined()
    expect(service.made.size).toBeGreaterThan(2)
    expect(purse.budget().reserved).toBe(0n)

    const tight = setting({}, pathsOf(10))
    const small = createPurse(picodollars(0.0005), listPrice)
    const run = await tight.begin({ purse: small, waits: false, detached: true }).ended
    expect(run.stopped).toMatchObject({ exit: 'limit' })
    expect([...tight.service.made.values()].map(({ items }) => items.length)).toEqual([1])
  })
})

describe('a run by batches with a budget', () => {
  // The worst case of a request is $0.00031 in a batch and $0.00062 live; it costs $0.00001 and $0.00002.
  const usd = (amount: number) => createPurse(picodollars(amount), listPrice)
  /** The documents of these names are asked about in three parts, and once more. */
  const longOnes =
    (...names: string[]): NonNullable<BatchJob['partsOf']> =>
    async ({ source: { path } }) =>
      !names.includes(path)
        ? undefined
        : {
            key: `key of ${path}`,
            requests: [1, 2, 3].map((n) => requestFor(path, { user: `Part ${n} of ${path}` })),
            last: requestFor(path),
            merge: () => [requestFor(path)],
          }
  const all = (count: number) => pathsOf(count).map((path) => `${path} summarized`)

  it('ends where a long document needs the money that batches hold back, with all documents done', async () => {
    for (const amount of [0.0009, 0.0012, 0.002, 0.01]) {
      const purse = usd(amount)
      const { begin, statuses, service } = setting({}, pathsOf(8))
      const run = begin({ purse, partsOf: longOnes('0.md', '5.md') })
      const { outcomes, stopped, asked } = await run.ended
      expect(stopped).toBeUndefined()
      expect(statuses(outcomes)).toEqual(all(8))
      expect(asked).toEqual(['0.md', '5.md'])
      expect([...service.billed().values()]).toEqual(Array(6).fill(1))
      expect(purse.budget().reserved).toBe(0n)
    }
  })

  it('ends with all that is affordable done, and the rest pending', async () => {
    const purse = usd(0.0005)
    const { begin, statuses } = setting({}, pathsOf(5))
    const { outcomes, stopped } = await begin({ purse, partsOf: longOnes('1.md') }).ended
    expect(stopped).toMatchObject({ exit: 'limit', message: /^stopped at --max-cost/ })
    expect(statuses(outcomes)).toEqual(
      pathsOf(5).map((path) => `${path} ${path === '1.md' ? 'pending' : 'summarized'}`),
    )
  })

  it('does not wait for money where it leaves the batches to another run, which does the rest', async () => {
    const { begin, statuses } = setting({}, pathsOf(4))
    const options = { partsOf: longOnes('3.md'), waits: false, detached: true }
    const first = await begin({ ...options, purse: usd(0.0013) }).ended
    expect(first.stopped).toMatchObject({
      exit: 'limit',
      message: /\$0\.00116 is reserved for requests in batches/,
    })
    expect(statuses(first.outcomes)).toEqual(pathsOf(4).map((path) => `${path} pending`))
    const second = await begin({ ...options, purse: usd(0.0013), waits: true }).ended
    expect(second.stopped).toBeUndefined()
    expect(statuses(second.outcomes)).toEqual(all(4))
  })

  it('reports once why several batches cannot be collected', async () => {
    const { begin, notes, service } = setting(
      { trouble: (call) => (call === 'answers' ? { before: statusFault(403) } : undefined) },
      pathsOf(6),
    )
    const { stopped } = await begin({ limits: { requests: 2, bytes: 1e9 } }).ended
    expect(stopped).toMatchObject({ exit: 'refused', message: 'message of 403' })
    expect(service.made.size).toBe(3)
    expect(notes.filter((note) => note.includes('403'))).toEqual([])
  })

  it('does not wait for money that a batch holds back which cannot be collected', async () => {
    const { begin, statuses } = setting({
      trouble: (call) => (call === 'answers' ? { before: statusFault(403) } : undefined),
    })
    const { outcomes, stopped } = await begin({ purse: usd(0.0018), partsOf: longOnes('2.md') }).ended
    expect(stopped).toMatchObject({ exit: 'refused' })
    expect(statuses(outcomes).map((text) => text.split(' ')[1])).toEqual(Array(5).fill('pending'))
  })

  it('has the money back of a batch that was never made', async () => {
    const lost = { kind: 'timeout', type: 'timeout', message: 'no answer' } as const
    let creates = 0
    const purse = usd(0.002)
    const { begin, clock } = setting({
      trouble(call) {
        if (call === 'create' && creates++ === 0) return { before: lost }
        return call === 'since' && clock.now() < 60_000 ? { before: statusFault(500) } : undefined
      },
    })
    const { outcomes } = await begin({ purse }).ended
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect(purse.budget()).toMatchObject({ reserved: 0n, spent: 0n })
  })
})

describe('a batch in trouble', () => {
  it('does not hold up the others', async () => {
    const { begin, service, statuses, clock } = setting({}, pathsOf(6))
    await begin({ limits: { requests: 3, bytes: 1e9 }, waits: false, detached: true }).ended
    await clock.run(clock.sleep(100_000))
    const { retrieve, answers } = service.batches
    const batches: Batches = {
      ...service.batches,
      retrieve: (id, signal) =>
        id === 'msgbatch_1' ? Promise.reject(new AskError(statusFault(500))) : retrieve(id, signal),
      answers,
    }
    const first = await begin({ batches, waits: false }).ended
    expect(statuses(first.outcomes)).toEqual(
      pathsOf(6).map((path, n) => `${path} ${n < 3 ? 'pending' : 'summarized'}`),
    )
    expect(statuses((await begin().ended).outcomes)).toEqual(pathsOf(3).map((path) => `${path} summarized`))
    expect(service.made.size).toBe(2)
  })
})

describe('an answer that cannot be read', () => {
  const named = (id: string): BatchAnswer => ({
    id,
    result: { unreadable: 'no result', line: `line of ${id}` },
  })
  const nameless: BatchAnswer = { id: undefined, result: { unreadable: 'not JSON', line: 'garbage' } }
  /** The batches of a setting, whose results are changed; `n` is the number of the download, from 1. */
  function changed(
    { batches }: { readonly batches: Batches },
    change: (answers: readonly BatchAnswer[], n: number, batch: string) => readonly (BatchAnswer | Error)[],
  ) {
    const downloads = { count: 0 }
    const answers: Batches['answers'] = async function* (...args) {
      const n = ++downloads.count
      const all: BatchAnswer[] = []
      for await (const answer of batches.answers(...args)) all.push(answer)
      for (const answer of change(all, n, args[0])) {
        if (answer instanceof Error) throw answer
        yield answer
      }
    }
    return { downloads, batches: { ...batches, answers } }
  }
  const reset = new AskError({ kind: 'connection', type: 'connection_error', message: 'reset' })
  const failed = (type: string) => ({ status: 'failed', failure: { kind: 'reply', type, transient: false } })

  it('fails its own document, and the others are summarized and paid for once', async () => {
    const { begin, service, statuses, disk, ledger } = setting({}, pathsOf(9))
    const bad = (answers: readonly BatchAnswer[]) =>
      answers.map((answer) => (answer.id?.endsWith('_3') ? named(answer.id) : answer))
    const { batches, downloads } = changed(service, bad)
    const { outcomes, stopped } = await begin({ batches }).ended
    expect(statuses(outcomes)).toEqual(
      pathsOf(9).map((path) => `${path} ${path === '3.md' ? 'failed' : 'summarized'}`),
    )
    const outcome = outcomes.find(({ source }) => source.path === '3.md')
    expect(outcome).toMatchObject({
      ...failed('batch_result_unreadable'),
      partial: expect.stringMatching(/^line of /),
      attempts: [{ fault: { kind: 'malformed' } }],
    })
    expect(stopped).toBeUndefined()
    // It was paid for: only a second download that says the same makes it a failure.
    expect(downloads.count).toBe(2)
    expect([service.made.size, disk.size, ledger.length]).toEqual([1, 0, 9])
  })

  it('is read after all where another download brings it', async () => {
    const { begin, service, statuses } = setting()
    const { batches } = changed(service, (answers, n) =>
      n === 1 ? [nameless, named(answers[1]?.id ?? ''), ...answers.slice(2)] : answers,
    )
    const { outcomes } = await begin({ batches }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
  })

  it.each([
    ['the one request without an answer', 1],
    ['each request without an answer, where there are as many such lines', 3],
  ])('and does not name its request is counted for %s', async (_, count) => {
    const { begin, service, disk } = setting()
    const { batches } = changed(service, (answers) => [
      ...Array<BatchAnswer>(count).fill(nameless),
      ...answers.slice(count),
    ])
    const { outcomes } = await begin({ batches }).ended
    const unread = outcomes.filter(({ status }) => status === 'failed')
    expect(unread).toMatchObject(Array(count).fill(failed('batch_result_unreadable')))
    expect(unread[0]).toMatchObject({ partial: Array(count).fill('garbage').join('\n') })
    expect(outcomes).toHaveLength(5)
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })

  it('fails no document whose line may have been cut off, and sends none again', async () => {
    const { begin, service, statuses, disk } = setting()
    const { batches } = changed(service, (answers) => [nameless, ...answers.slice(1, 4)])
    const first = await begin({ batches }).ended
    expect(statuses(first.outcomes).map((text) => text.split(' ')[1])).toEqual([
      'pending',
      'summarized',
      'summarized',
      'summarized',
      'pending',
    ])
    expect([service.made.size, disk.size]).toEqual([1, 1])
    // Nor does any later run, until the results are whole.
    await begin({ batches, submits: false }).ended
    expect(service.made.size).toBe(1)
    const { outcomes } = await begin().ended
    expect(statuses(outcomes)).toEqual(['0.md summarized', '4.md summarized'])
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })

  it('keeps its batch, which releases a request that expired only once', async () => {
    const { begin, service, statuses, disk } = setting({
      resultOf: (path) => (path === '1.md' && service.made.size === 1 ? 'expired' : undefined),
    })
    const { batches } = changed(service, (answers, _, batch) =>
      batch === 'msgbatch_1' ? answers.filter(({ id }) => !id?.endsWith('_0')) : answers,
    )
    await begin({ batches, waits: false, detached: true }).ended
    await begin({ batches, waits: false }).ended
    const first = await begin({ batches }).ended
    expect(statuses(first.outcomes)).toEqual([
      '0.md pending',
      '1.md pending',
      '2.md summarized',
      '3.md summarized',
      '4.md summarized',
    ])
    expect(statuses((await begin({ batches }).ended).outcomes)).toEqual(['0.md pending', '1.md summarized'])
    // The expired request is still among the results of the first batch.
    expect(statuses((await begin({ batches }).ended).outcomes)).toEqual(['0.md pending'])
    expect([service.made.size, disk.size]).toEqual([2, 1])
  })

  it('does not count where the download broke off', async () => {
    const { begin, service, statuses } = setting()
    const { batches } = changed(service, (answers, n) =>
      n < 4 ? [nameless, nameless, ...answers.slice(2, 3), reset] : answers,
    )
    const { outcomes } = await begin({ batches }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
  })

  it('does not hide a good answer to the same request', async () => {
    const { begin, service, statuses } = setting()
    const { batches } = changed(service, (answers) =>
      answers.flatMap((answer) => [named(answer.id ?? ''), answer, named(answer.id ?? '')]),
    )
    const { outcomes } = await begin({ batches }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
  })

  it('does not keep a lost batch from being found by its other answers', async () => {
    let creates = 0
    const lost = { kind: 'timeout', type: 'timeout', message: 'no answer' } as const
    const { begin, service, disk } = setting({
      trouble: (call) => (call === 'create' && creates++ === 0 ? { after: lost } : undefined),
    })
    const { batches } = changed(service, (answers) => [nameless, ...answers.slice(1)])
    const { outcomes } = await begin({ batches }).ended
    expect(outcomes.filter(({ status }) => status === 'summarized')).toHaveLength(4)
    expect([service.made.size, disk.size]).toEqual([1, 0])
  })
})

describe('making a batch', () => {
  const lost = { kind: 'timeout', type: 'timeout', message: 'no answer' } as const

  it.each([
    ['was made after all', { after: lost }, 1],
    ['was not', { before: lost }, 2],
    ['was made, behind a gateway', { after: statusFault(504) }, 1],
    ['was made, though the request timed out', { after: statusFault(408) }, 1],
    ['was refused for now', { before: statusFault(529) }, 2],
  ] as const)(
    'B02 that was not heard of is looked for before it is made again: it %s',
    async (_, first, calls) => {
      let creates = 0
      const { begin, service, statuses } = setting({
        trouble: (call) => (call === 'create' && creates++ === 0 ? first : undefined),
      })
      const { outcomes } = await begin().ended
      expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
      expect(service.made.size).toBe(1)
      expect(creates).toBe(calls)
    },
  )

  it.each([429, 500, 503, 529])(
    'is not done twice where it was created although the answer is %i',
    async (status) => {
      let creates = 0
      const { begin, service, statuses } = setting({
        trouble: (call) =>
          call === 'create' && creates++ === 0 ? { after: statusFault(status) } : undefined,
      })
      const { outcomes } = await begin().ended
      expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
      expect([service.made.size, creates]).toEqual([1, 1])
    },
  )

  it('finds two batches of one size, neither of which was heard of', async () => {
    let creates = 0
    const { begin, service, statuses } = setting(
      { trouble: (call) => (call === 'create' && creates++ < 2 ? { after: lost } : undefined) },
      pathsOf(4),
    )
    const { outcomes } = await begin({ limits: { requests: 2, bytes: 1e9 } }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(4).map((path) => `${path} summarized`))
    expect([service.made.size, creates]).toEqual([2, 2])
  })

  it('ends the run, and blames no document, where the workspace cannot use batches', async () => {
    const fault = statusFault(400, { code: 'workspace_human_review_disabled' })
    const { begin, service, ledger } = setting({ refuses: () => fault })
    const { outcomes, stopped } = await begin().ended
    expect(stopped).toMatchObject({ exit: 'refused' })
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect([service.made.size, ledger]).toEqual([0, []])
  })

  describe('that the API refuses for some of its documents', () => {
    const invalid = (message: string) => statusFault(400, { type: 'invalid_request_error', message })
    const saying = {
      'names the place of the request': (_: string, at: number) =>
        `requests.${at}.params.messages: not valid`,
      'says nothing of it': () => 'The request body is not valid JSON',
    }

    it.each(Object.entries(saying))(
      'sends all others, and fails those alone, where the message %s',
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

    it('sends a batch that is too large in halves', async () => {
      const { begin, service, outcomesOf } = refusing(10, (paths) =>
        paths.length > 3 ? statusFault(413, { type: 'request_too_large' }) : undefined,
      )
      const { outcomes } = await begin().ended
      expect(outcomesOf(outcomes)).toEqual(pathsOf(10).map((path) => `${path} summarized`))
      expect([...service.made.values()].map(({ items }) => items.length)).toEqual([3, 2, 3, 2])
    })

    it('gives the failure of a document the message, and releases its reserve', async () => {
      const purse = createPurse(picodollars(0.01), listPrice)
      const { begin } = refusing(3, (paths) =>
        paths.includes('1.md') ? invalid('requests.1.params: surrogates') : undefined,
      )
      const { outcomes } = await begin({ purse }).ended
      expect(outcomes.find(({ source }) => source.path === '1.md')).toMatchObject({
        status: 'failed',
        failure: { kind: 400, message: 'requests.1.params: surrogates', transient: false },
      })
      expect(purse.budget().reserved).toBe(0n)
    })

    it('blames no document where nothing at all is accepted, after a few tries', async () => {
      let creates = 0
      const { begin, disk, ledger } = refusing(1000, () => {
        creates++
        return invalid('Batches are not for you')
      })
      const { outcomes, stopped } = await begin().ended
      expect(stopped).toMatchObject({ exit: 'refused', message: /Batches are not for you/ })
      expect(outcomes).toMatchObject(Array(1000).fill({ status: 'pending' }))
      expect(creates).toBeLessThan(30)
      expect([disk.size, ledger]).toEqual([0, []])
    })

    function refusing(count: number, refuses: NonNullable<BatchScript['refuses']>) {
      const world = setting({ refuses }, pathsOf(count))
      return { ...world, outcomesOf: world.statuses }
    }
  })

  it.each<[string, (since: Batches['since']) => Batches['since']]>([
    [
      'appears among the others only after seconds',
      (since) => {
        let looks = 0
        return async (...args) => (looks++ < 2 ? { batches: [], isComplete: true } : since(...args))
      },
    ],
    [
      'has a time five minutes before it was sent, by the clock of the service',
      (since) => async (time, signal) => since(time + 300_000, signal),
    ],
    [
      'was sent when the clock of this machine was two days ahead',
      (since) => async (time, signal) => since(time + 2 * 86_400_000, signal),
    ],
  ])('finds one that was not heard of and %s', async (_, changed) => {
    let creates = 0
    const { begin, service, statuses } = setting({
      trouble: (call) => (call === 'create' && creates++ === 0 ? { after: lost } : undefined),
    })
    const batches = { ...service.batches, since: changed(service.batches.since) }
    const { outcomes } = await begin({ batches }).ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
    expect(creates).toBe(1)
  })

  it('remembers which batch it found, for a run that goes on with it', async () => {
    let creates = 0
    const { begin, disk } = setting({
      trouble: (call) => (call === 'create' && creates++ === 0 ? { after: lost } : undefined),
    })
    await begin({ keep: async () => false }).ended
    expect([...disk.values()]).toMatchObject([{ id: 'msgbatch_1' }])
  })

  it('of the same size as somebody else’s takes only its own', async () => {
    const { begin, service, statuses } = setting({
      trouble: (call) => (call === 'create' && service.made.size === 0 ? { after: lost } : undefined),
    })
    const other = { ...(await foreign()), id: 'msgbatch_0' }
    service.made.set('msgbatch_0', {
      batch: other,
      items: pathsOf(5).map((path) => ({ custom_id: path, path })),
    })
    async function foreign() {
      return {
        id: '',
        state: 'in_progress',
        requests: 5,
        created: Date.parse('2026-11-22T12:00:00Z'),
        archived: false,
      } as const
    }
    const { outcomes } = await begin().ended
    expect(statuses(outcomes)).toEqual(pathsOf(5).map((path) => `${path} summarized`))
  })
})

describe('a run with every kind of trouble, repeated until all is done', () => {
  const crash = new Error('crash')
  const kinds = ['good', 'expired', 'canceled', 'unreadable', 'nameless', 'invalid'] as const
  const trouble = fc.record({ at: fc.nat(60), after: fc.boolean() })
  const download = fc.record({ lines: fc.nat(12), doubled: fc.nat(12), breaks: fc.boolean() })

  // Such a batch cannot be told from another one.
  const examples: [('nameless' | 'good')[], { at: number; after: boolean }[], []][] = [1, 2, 3].map((at) => [
    ['nameless'],
    [{ at, after: true }],
    [],
  ])

  it('pays for each document once, and has one outcome for each', async () => {
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
          /** Of this run, which may die before or after anything that it changes. */
          const happens = () => {
            const crashed = isDead ? { after: false } : crashes.find(({ at }) => at === calls++)
            isDead ||= crashed !== undefined
            return crashed && (crashed.after ? { after: crash } : { before: crash })
          }
          const world = setting(
            {
              trouble: happens,
              resultOf(path, batch) {
                const fate = fateOf(path)
                if (fate === 'invalid') return { fault: statusFault(400) }
                if (fate !== 'expired' && fate !== 'canceled') return undefined
                // The first batch it is in does not do it, and does not bill it.
                const holds = [...world.service.made].filter(([, { items }]) =>
                  items.some((item) => item.path === path),
                )
                return holds[0]?.[0] === batch ? fate : undefined
              },
            },
            paths,
          )
          const { service, ledger, disk, clock } = world
          const answers: Batches['answers'] = async function* (...args) {
            const cut = cuts.shift()
            let n = 0
            for await (const answer of service.batches.answers(...args)) {
              if (cut !== undefined && n === cut.lines) {
                if (!cut.breaks) return
                throw new AskError({ kind: 'connection', type: 'connection_error', message: 'reset' })
              }
              const item = service.made.get(args[0])?.items.find((item) => item.custom_id === answer.id)
              const fate = fateOf(item?.path ?? '')
              const result = { unreadable: 'no result', line: 'line' }
              const line: BatchAnswer =
                fate === 'unreadable' && answer.id !== undefined
                  ? { id: answer.id, result }
                  : fate === 'nameless'
                    ? { id: undefined, result }
                    : answer
              yield line
              // A line without a name that comes twice may hide that another one is missing.
              if (n++ === cut?.doubled && fate !== 'nameless') yield line
            }
          }
          const isRecorded = (id: string, path: string) =>
            ledger.some((it) => it.source.path === path && it.attempts.at(-1)?.batch === id)
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
            const keep = async (outcome: Outcome) =>
              changes('keep', () => {
                if (outcome.status === 'summarized' || outcome.status === 'failed') ledger.push(outcome)
                return true
              })
            const sources = paths
              .filter((path) => !ledger.some(({ source }) => source.path === path))
              .map((path, index) => ({ index, path, named: true }))
            const run = world.begin({
              batches: { ...service.batches, answers },
              store: batchStoreOn(disk, clock, isRecorded, changes),
              limits: { requests: 4, bytes: 1e9 },
              sources,
              keep,
            })
            await run.ended.catch((error: unknown) => {
              if (error !== crash) throw error
            })
          }
          const counts = [...service.billed()].filter(([path]) => fateOf(path) !== 'invalid')
          expect(counts.every(([, count]) => count === 1)).toBe(true)
          // A batch whose creation was cut off is not recognized where no line of its results has a name.
          const open = [...disk.values()].flatMap(({ documents }) => [...documents.values()])
          const unknown = open.map(({ path }: { path: string }) => path)
          expect(unknown.filter((path) => fateOf(path) !== 'nameless')).toEqual([])
          const known = paths.filter((path) => !unknown.includes(path))
          expect(ledger.map(({ source }) => source.path).sort()).toEqual([...known].sort())
          for (const { source, status } of ledger) {
            const isGood = ['good', 'expired', 'canceled'].includes(fateOf(source.path))
            expect(`${source.path} ${status}`).toBe(`${source.path} ${isGood ? 'summarized' : 'failed'}`)
          }
        },
      ),
      { numRuns: 60, examples },
    )
  })
})

describe('cut off at any call, and run again until it is done', () => {
  it('sends each document that the API accepts once, where it refuses one', async () => {
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
          const refuses = (paths: readonly string[]) =>
            paths.includes(`${bad}.md`) ? statusFault(400, { message: 'bad' }) : undefined
          const { begin, service, ledger, paths, disk, clock } = setting(
            { trouble: happens, refuses },
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
            ledger.some((it) => it.source.path === path && it.attempts.at(-1)?.batch === id)
          for (let runs = 0; runs < 8 && (runs === 0 || ledger.length < size || disk.size > 0); runs++) {
            isDead = false
            const sources = paths
              .filter((path) => !ledger.some(({ source }) => source.path === path))
              .map((path, index) => ({ index, path, named: true }))
            const run = begin({
              store: batchStoreOn(disk, clock, isRecorded, changes),
              sources,
              keep: (outcome) =>
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
          expect(ledger.map(({ source, status }) => `${source.path} ${status}`).sort()).toEqual(
            paths.map((path) => `${path} ${path === `${bad}.md` ? 'failed' : 'summarized'}`).sort(),
          )
          expect(disk.size).toBe(0)
        },
      ),
      { numRuns: 150 },
    )
  })

  it('B01 B08 pays for every document once, and has one good line for each', async () => {
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
              trouble() {
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
            const run = begin({ limits: { requests: 5, bytes: 1e9 } })
            await run.ended.catch((error: unknown) => {
              if (error !== crash) throw error
            })
            if (ledger.length >= paths.length && disk.size === 0) break
          }
          expect([...service.billed().values()].every((count) => count === 1)).toBe(true)
          expect(ledger.map(({ source, status }) => `${source.path} ${status}`).sort()).toEqual(
            paths.map((path) => `${path} summarized`).sort(),
          )
          expect(disk.size).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })
})
