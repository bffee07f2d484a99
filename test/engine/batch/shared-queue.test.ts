import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BatchApi } from '../../../src/core/batch/batch-api.ts'
import type { DocumentRef } from '../../../src/core/document/document.ts'
import type { RequestError } from '../../../src/core/errors/request-error.ts'
import { AccountError } from '../../../src/core/errors/run-error.ts'
import { listPrice } from '../../../src/core/pricing/pricing-rules.ts'
import type { Outcome } from '../../../src/core/run/outcome.ts'
import { type BatchJob, runBatches } from '../../../src/engine/batch/run-batches.ts'
import { createShutdown } from '../../../src/engine/shutdown.ts'
import { createRequest, createStatusError } from '../../support/scripted-ask.ts'
import {
  type BatchScript,
  createMemoryBatchStore,
  createScriptedBatches,
} from '../../support/scripted-batches.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const minute = 60_000
const hour = 60 * minute
const lost: RequestError = { kind: 'timeout', type: 'timeout', message: 'no answer' }
const full = createStatusError(429, { type: 'rate_limit_error', retryAfterSeconds: 1 })

interface AccountOptions extends Partial<BatchScript> {
  /** How many requests the batches that have not ended may have. */
  readonly queue?: number
}

/** An account with one queue, and the output folders of several shards. */
function createAccount({ queue = 1e9, ...script }: AccountOptions = {}) {
  const clock = createVirtualClock()
  const { takesMs = 90_000 } = script
  const service = createScriptedBatches({
    clock,
    takesMs,
    refuseBatch(paths) {
      const queued = [...service.made.values()]
        .filter(({ batch }) => clock.wallTime() < batch.createdAt + takesMs)
        .reduce((sum, { items }) => sum + items.length, 0)
      return queued + paths.length > queue ? full : undefined
    },
    ...script,
  })
  const creates: number[] = []
  const batchApi: BatchApi = {
    ...service.batches,
    create(body, signal) {
      creates.push(clock.now())
      return service.batches.create(body, signal)
    },
  }

  /** The output folder of a shard with some documents. */
  const createShard = (name: string, documents: number) => {
    const disk = new Map()
    const ledger: { readonly outcome: Outcome; readonly at: number }[] = []
    const paths = Array.from({ length: documents }, (_, n) => `${name}/${n}.md`)
    const isDone = (path: string) => ledger.some(({ outcome }) => outcome.document.path === path)
    const begin = (options: Partial<BatchJob> = {}, batchSize = 1e9) => {
      const shutdown = createShutdown()
      const notes: string[] = []
      const job: BatchJob = {
        sources: paths
          .filter((path) => !isDone(path))
          .map((path, index): DocumentRef => ({ index, path, namedByUser: true })),
        read: async (source) => ({
          ref: source,
          text: source.path,
          fingerprint: { size: 1, sha256: source.path },
        }),
        toRunError: (error) => new AccountError(error, 'a-model', 'https://api.example'),
        persist: async (outcome) => {
          if (outcome.status === 'summarized' || outcome.status === 'failed')
            ledger.push({ outcome, at: clock.now() })
          return true
        },
        shutdown,
        clock,
        batchApi,
        store: createMemoryBatchStore(disk, clock),
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
              provenance: { prompt: 'summarize@v2', model: 'claude-haiku-5-5', settingsHash: 'r' },
              answerSettings: { maxTokens: 1024, frontMatter: false },
            }),
            hasSucceededBefore: () => true,
            maxBatchSize: { items: batchSize, bytes: 1e9 },
          },
        },
        listener: {
          onAttempt() {},
          onCanary() {},
          onRetry() {},
          onCollectError() {},
          onWarning: (text) => notes.push(text),
          onSubmitted() {},
          onWaiting() {},
          onUnfinished() {},
        },
        ...options,
      }
      const collect = async () => {
        const outcomes: Outcome[] = []
        for await (const outcome of runBatches(job)) outcomes.push(outcome)
        return { outcomes, stopped: shutdown.drainSignal.reason as unknown, notes }
      }
      return { shutdown, ended: collect() }
    }
    const countDone = () => ledger.filter(({ outcome }) => outcome.status === 'summarized').length
    return { name, disk, ledger, paths, begin, countDone }
  }
  const expectEachPaidOnce = () => {
    for (const [path, count] of service.billed()) expect([path, count]).toEqual([path, 1])
  }
  return { clock, service, batchApi, creates, createShard, expectEachPaidOnce }
}

describe('batches of several shards under one account', () => {
  it('B16 wait while the queue is full, and no document fails', async () => {
    const { clock, creates, createShard, expectEachPaidOnce } = createAccount({ queue: 10 })
    const shards = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => createShard(name, 5))
    const runs = shards.map((shard) => shard.begin().ended)
    for (const { stopped } of await clock.run(Promise.all(runs))) expect(stopped).toBeUndefined()
    expect(shards.map((shard) => shard.countDone())).toEqual([5, 5, 5, 5, 5, 5])
    expectEachPaidOnce()
    // Six batches, two at a time, take at least 4.5 minutes. A refused batch is uploaded again ever more rarely.
    expect(clock.now()).toBeLessThan(20 * minute)
    expect(creates.length).toBeLessThan(6 * 8)
  })

  it('are collected while a later batch waits for room', async () => {
    const { clock, createShard, expectEachPaidOnce } = createAccount({ queue: 5, takesMs: 5 * minute })
    const shard = createShard('a', 15)
    const { stopped } = await clock.run(shard.begin({}, 5).ended)
    expect([stopped, shard.countDone()]).toEqual([undefined, 15])
    const times = shard.ledger.map(({ at }) => Math.floor(at / minute))
    expect(times[4]).toBeLessThan(times[5] as number)
    expect(times[9]).toBeLessThan(times[10] as number)
    expectEachPaidOnce()
  })

  it('do not wait for batches of the same size that others create later', async () => {
    const { clock, service, createShard, expectEachPaidOnce } = createAccount({
      queue: 10,
      takesMs: 10 * minute,
    })
    const busy = createShard('busy', 60)
    const late = createShard('late', 5)
    await clock.run(Promise.all([busy.begin({}, 5).ended, clock.sleep(1000).then(() => late.begin().ended)]))
    expect([busy.countDone(), late.countDone()]).toEqual([60, 5])
    const order = [...service.made.values()].map(({ items }) => items[0]?.path.split('/')[0])
    expect(order.indexOf('late')).toBeLessThan(8)
    expectEachPaidOnce()
  })

  it('are split if a batch is larger than the queue', async () => {
    const { clock, service, createShard, expectEachPaidOnce } = createAccount({ queue: 3 })
    const shard = createShard('a', 10)
    const { stopped } = await clock.run(shard.begin().ended)
    expect([stopped, shard.countDone(), shard.disk.size]).toEqual([undefined, 10, 0])
    expect(Math.max(...[...service.made.values()].map(({ items }) => items.length))).toBeLessThanOrEqual(3)
    expectEachPaidOnce()
  })

  it('are not split because of a queue that others have filled', async () => {
    const { clock, service, createShard } = createAccount({ queue: 10, takesMs: 3 * hour })
    const [first, second] = [createShard('a', 10), createShard('b', 8)]
    await clock.run(Promise.all([first.begin().ended, second.begin().ended]))
    expect([...service.made.values()].map(({ items }) => items.length).sort()).toEqual([10, 8])
  })

  it('are left to a later run with --detach', async () => {
    const { clock, service, createShard } = createAccount({ queue: 7 })
    const shard = createShard('a', 10)
    const detached = { shouldWait: false, isDetached: true }
    const { stopped, outcomes } = await clock.run(shard.begin(detached, 5).ended)
    expect(stopped).toMatchObject({ name: 'BatchError', isTransient: true })
    expect(outcomes).toMatchObject(Array(10).fill({ status: 'pending' }))
    expect(clock.now()).toBeLessThan(minute)
    expect([service.made.size, shard.disk.size]).toEqual([1, 1])
    await clock.run(clock.sleep(2 * minute))
    await clock.run(shard.begin({}, 5).ended)
    expect(shard.countDone()).toBe(10)
  })

  it('stay pending if the run is stopped while it waits', async () => {
    const { clock, createShard } = createAccount({ queue: 5, takesMs: 10 * hour })
    const [first, second] = [createShard('a', 5), createShard('b', 5)]
    await clock.run(first.begin({ shouldWait: false, isDetached: true }).ended)
    const { shutdown, ended } = second.begin()
    const stop = clock.sleep(hour).then(() => shutdown.drain(new Error('stopped')))
    const [{ outcomes }] = await clock.run(Promise.all([ended, stop]))
    expect(outcomes).toMatchObject(Array(5).fill({ status: 'pending' }))
    expect([clock.now() < 61 * minute, second.disk.size]).toEqual([true, 0])
  })

  it('end the run after 25 hours if the queue never has room', async () => {
    const { clock, creates, createShard } = createAccount({ queue: 0 })
    const shard = createShard('a', 1)
    const { stopped, outcomes } = await clock.run(shard.begin().ended)
    expect(stopped).toMatchObject({ name: 'BatchError', isTransient: true })
    expect(outcomes).toMatchObject([{ status: 'pending' }])
    expect(clock.now() / hour).toBeGreaterThan(24)
    expect(clock.now() / hour).toBeLessThan(26)
    expect(creates.length).toBeLessThan(200)
  })

  it('are not adopted from another shard whose results cannot be read yet', async () => {
    let creates = 0
    const { clock, batchApi, createShard, expectEachPaidOnce } = createAccount({
      // The first call creates no batch. Meanwhile, the other shard creates one of the same size.
      failCall: (call) => (call === 'create' && creates++ === 0 ? { before: lost } : undefined),
    })
    const [first, second] = [createShard('a', 5), createShard('b', 5)]
    let downloads = 0
    const cut: BatchApi = {
      ...batchApi,
      async *fetchResults(...args) {
        if (++downloads > 6) yield* batchApi.fetchResults(...args)
      },
    }
    await clock.run(
      Promise.all([first.begin({ batchApi: cut }).ended, second.begin({ shouldWait: false }).ended]),
    )
    expect(first.ledger).toEqual([])
    for (const shard of [second, first]) await clock.run(shard.begin().ended)
    for (const shard of [second, first]) await clock.run(shard.begin().ended)
    expect([first.countDone(), second.countDone()]).toEqual([5, 5])
    expectEachPaidOnce()
  })

  const trouble = fc.record({
    at: fc.nat(80),
    kind: fc.constantFrom('lost before', 'lost after', 'crash before', 'crash after', '429 after'),
  })
  it('B17 are never adopted by another shard, also after lost replies and crashes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
        fc.array(trouble, { maxLength: 8 }),
        fc.constantFrom(4, 6, 1e9),
        async (sizes, troubles, queue) => {
          const crash = new Error('crash')
          let calls = 0
          const { clock, service, createShard, expectEachPaidOnce } = createAccount({
            queue,
            failCall() {
              const kind = troubles.find(({ at }) => at === calls)?.kind
              calls++
              if (kind === undefined) return undefined
              const [what, when] = kind.split(' ')
              const error = what === 'crash' ? crash : what === '429' ? full : lost
              return when === 'before' ? { before: error } : { after: error }
            },
          })
          const shards = sizes.map((size, n) => createShard(`shard${n}`, size))
          const runAll = () =>
            clock.run(
              Promise.all(
                shards.map((shard) =>
                  shard.begin({}, 2).ended.catch((error: unknown) => {
                    if (error !== crash) throw error
                  }),
                ),
              ),
            )
          for (let runs = 0; runs < 12; runs++) {
            if (shards.every((shard) => shard.countDone() === shard.paths.length)) break
            await runAll()
          }
          expectEachPaidOnce()
          for (const shard of shards) {
            expect(shard.countDone()).toBe(shard.paths.length)
            for (const { outcome } of shard.ledger) {
              const batch = service.made.get(outcome.attempts.at(-1)?.batchId ?? '')
              expect(batch?.items.map(({ path }) => path)).toContain(outcome.document.path)
            }
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('are an error of the account, not a full queue, if a spend limit is reached', async () => {
    const { clock, createShard } = createAccount({
      refuseBatch: () => createStatusError(429, { code: 'enforced_spend_limit_reached' }),
    })
    const { stopped } = await clock.run(createShard('a', 3).begin().ended)
    expect(stopped).toMatchObject({ name: 'AccountError' })
    expect(clock.now()).toBeLessThan(minute)
  })

  it('are found again if a gateway answers 429 after it has passed the batch on', async () => {
    let creates = 0
    const {
      clock,
      createShard,
      expectEachPaidOnce,
      creates: times,
    } = createAccount({
      failCall: (call) => (call === 'create' && creates++ < 2 ? { after: full } : undefined),
    })
    const shards = [createShard('a', 5), createShard('b', 5)]
    await clock.run(Promise.all(shards.map((shard) => shard.begin().ended)))
    expect(shards.map((shard) => shard.countDone())).toEqual([5, 5])
    expect(times).toHaveLength(2)
    expectEachPaidOnce()
  })
})
