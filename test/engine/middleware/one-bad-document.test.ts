import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../../src/core/errors/request-error.ts'
import { AccountError } from '../../../src/core/errors/run-error.ts'
import type { RateLimitSettings } from '../../../src/core/rate-limit/rate-limit-settings.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import type { Outcome } from '../../../src/core/run/outcome.ts'
import { type SummarizeJob, summarizeDocuments } from '../../../src/engine/summarize-documents.ts'
import { createReply, createRequest, createStatusError } from '../../support/scripted-ask.ts'
import { createTestPipeline, type TestPipelineOptions } from '../../support/test-pipeline.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

interface RunOptions extends TestPipelineOptions {
  readonly count: number
  /** The error for a document, by its number; undefined if the request succeeds. */
  readonly fault: (document: number, now: number) => RequestError | undefined
  readonly latencyMs?: number
  /** The text of a document, by its number. */
  readonly text?: (document: number) => string
}

/** A complete run on the virtual clock: reading a document takes 5 ms, and a request `latencyMs`. */
async function runOf({ count, fault, latencyMs = 1000, text = () => 'text', ...options }: RunOptions) {
  const clock = createVirtualClock()
  const sent = new Map<number, number[]>()
  const service: Ask = async ({ path }, signal) => {
    const document = Number(path)
    sent.set(document, [...(sent.get(document) ?? []), clock.now()])
    const met = fault(document, clock.now())
    await clock.sleep(met === undefined ? latencyMs : 50, signal)
    if (met !== undefined) throw new AskError(met)
    return createReply(path)
  }
  const layers = createTestPipeline(service, { random: () => 0.5, ...options, clock })
  const outcomes: Outcome[] = []
  let answeredAt = 0
  const all = async () => {
    const job: SummarizeJob = {
      sources: Array.from({ length: count }, (_, index) => ({
        index,
        path: String(index),
        namedByUser: true,
      })),
      async read(source) {
        await clock.sleep(5)
        return { ref: source, text: text(source.index), fingerprint: { size: 4, sha256: source.path } }
      },
      buildRequest: ({ ref: source, text }) => createRequest(source.path, { user: text }),
      toRunError: (error) => new AccountError(error, 'a-model', 'https://api.example'),
      ask: layers.askInSlot,
      semaphore: layers.semaphore,
      shutdown: layers.shutdown,
      clock,
    }
    for await (const outcome of summarizeDocuments(job)) {
      outcomes.push(outcome)
      if (outcome.status === 'summarized') answeredAt = clock.now()
    }
  }
  await clock.run(all())
  const of = (status: Outcome['status']) =>
    outcomes
      .filter((outcome) => outcome.status === status)
      .map(({ document }) => document.index)
      .sort((a, b) => a - b)
  return {
    summarized: of('summarized'),
    failed: of('failed'),
    pending: of('pending'),
    outcomes,
    stopped: layers.shutdown.drainSignal.reason as Error | undefined,
    /** Seconds until the last summary, and until the end of the run. */
    lastSummary: answeredAt / 1000,
    seconds: clock.now() / 1000,
    sent,
    pauses: layers.pausesMs,
    slots: layers.semaphore.getLimit(),
  }
}

const limited = (retryAfterSeconds?: number) =>
  createStatusError(429, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)
const others = (count: number, bad: number) => numbers(count).filter((n) => n !== bad)
const oneSlot: RateLimitSettings['concurrency'] = { initial: 1, max: 1 }

describe('a document that is the only one to get a 429, every time', () => {
  it.each<[string, TestPipelineOptions]>([
    ['with one permit', { concurrency: oneSlot }],
    ['with the default concurrency', {}],
    ['with one permit and no retries', { concurrency: oneSlot, retries: 0 }],
  ])('%s fails as transient, and all others are summarized', async (_, options) => {
    for (const bad of [0, 7, 50]) {
      const run = await runOf({
        ...options,
        count: 60,
        fault: (document) => (document === bad ? limited(5) : undefined),
      })
      expect([run.stopped, run.failed, run.summarized]).toEqual([undefined, [bad], others(60, bad)])
      expect(run.outcomes.find(({ status }) => status === 'failed')).toMatchObject({
        failure: { kind: 429, transient: true },
      })
      // All requests are paused at most four times because of the document, each time for up to 10 % longer.
      expect(run.lastSummary).toBeLessThan((options.concurrency === undefined ? 15 : 60) + 4 * 5.5 + 1)
    }
  })

  it('is sent first after a pause, because a large document may need the whole limit', async () => {
    // The limit for the large document is available again after eight seconds without other requests.
    let room = 80
    let at = 0
    const takes = (document: number) => (document === 3 ? 70 : 10)
    const run = await runOf({
      count: 200,
      latencyMs: 100,
      text: (document) => 'x'.repeat(takes(document)),
      fault(document, now) {
        room = Math.min(80, room + (now - at) / 100)
        at = now
        if (room < takes(document)) return limited(Math.ceil((takes(document) - room) / 10))
        room -= takes(document)
        return undefined
      },
    })
    expect([run.failed, run.summarized]).toEqual([[], numbers(200)])
  })

  it('fails immediately if the API requests a wait of years, and the others are summarized', async () => {
    for (const fault of [limited(99_999_999), createStatusError(503, { retryAfterSeconds: 99_999_999 })]) {
      const run = await runOf({
        count: 30,
        concurrency: oneSlot,
        fault: (document) => (document === 11 ? fault : undefined),
      })
      expect([run.stopped, run.failed, run.summarized]).toEqual([undefined, [11], others(30, 11)])
      expect(run.sent.get(11)).toHaveLength(1)
      expect(run.seconds).toBeLessThan(31)
    }
  })
})

describe('a document that is too long for the account', () => {
  it('fails immediately without a retry or pause, although the status is 429', async () => {
    const message = 'Extra usage is required for long context requests.'
    const tooLong = createStatusError(429, { type: 'rate_limit_error', message, retryAfterSeconds: 60 })
    const bad = [0, 5, 6]
    const run = await runOf({
      count: 30,
      fault: (document) => (bad.includes(document) ? tooLong : undefined),
    })
    expect([run.failed, run.summarized.length, run.pauses]).toEqual([bad, 27, []])
    expect(bad.map((document) => run.sent.get(document)?.length)).toEqual([1, 1, 1])
    expect(run.outcomes.find(({ status }) => status === 'failed')).toMatchObject({
      failure: { kind: 429, transient: false, message: expect.stringContaining('allow extra usage') },
    })
  })
})

describe('a low rate limit that no header reports', () => {
  it.each([
    ['one request per second', 1, 1, true],
    ['one request per second, without retry-after', 1, 1, false],
    ['five requests per second', 5, 5, true],
    ['twenty small documents per second, with little more for large ones', 20, 100, true],
  ])('of %s fails no document', async (_, perSecond, most, tells) => {
    let room = most
    let at = 0
    const takes = (document: number) => (most === 100 && document % 50 === 7 ? 60 : 1)
    const run = await runOf({
      count: 150,
      latencyMs: 500,
      text: (document) => 'x'.repeat(takes(document)),
      fault(document, now) {
        room = Math.min(most, room + ((now - at) * perSecond) / 1000)
        at = now
        const missing = takes(document) - room
        if (missing > 0) return limited(tells ? Math.ceil(missing / perSecond) : undefined)
        room -= takes(document)
        return undefined
      },
    })
    expect([run.failed, run.summarized]).toEqual([[], numbers(150)])
  })
})

describe('a wait of years that the API requests for every document', () => {
  it('ends the run with WaitTooLongError at the first document', async () => {
    const run = await runOf({ count: 30, fault: () => limited(99_999_999) })
    expect(run.stopped).toMatchObject({
      name: 'WaitTooLongError',
      message: expect.stringContaining('3.2 years'),
    })
    expect([run.failed, run.pending]).toEqual([[], numbers(30)])
  })

  it('in the middle of a run fails at most one document', async () => {
    const run = await runOf({
      count: 400,
      fault: (_, now) => (now > 3000 ? limited(99_999_999) : undefined),
    })
    expect(run.stopped).toMatchObject({ name: 'WaitTooLongError' })
    expect(run.failed.length).toBeLessThanOrEqual(1)
    expect(run.summarized.length).toBeGreaterThan(10)
  })
})

describe('a document that is the only one to fail, every time', () => {
  const faults: readonly [string, RequestError][] = [
    ['with a 429', limited()],
    ['with a 429 that asks for a long wait', limited(120)],
    ['with a 529', createStatusError(529)],
    ['with a 500', createStatusError(500)],
    ['with a 503 that asks for a long wait', createStatusError(503, { retryAfterSeconds: 300 })],
    ['by a timeout', { kind: 'timeout', type: 'timeout', message: 'silent' }],
    ['by a reset', { kind: 'connection', type: 'connection_error', code: 'ECONNRESET', message: 'reset' }],
    ['by an incomplete reply', { kind: 'malformed', type: 'malformed_reply', message: 'half' }],
    ['by an error in a stream', { kind: 'stream', type: 'overloaded_error', message: 'Overloaded' }],
  ]

  it.each(faults)('%s costs the others no permit, no attempt and no long pause', async (_, bad) => {
    for (const concurrency of [oneSlot, { initial: 8, max: 8 }]) {
      // These retries exceed the shared retry budget.
      const options: TestPipelineOptions = { concurrency, retries: 40, maxWaitMs: 600_000 }
      const run = await runOf({
        ...options,
        count: 80,
        fault: (document) => (document === 0 ? bad : undefined),
      })
      expect([run.stopped, run.failed, run.summarized]).toEqual([undefined, [0], others(80, 0)])
      const alone = await runOf({ ...options, count: 79, fault: () => undefined })
      const longest = bad.status === 429 ? 1.1 * (bad.retryAfterSeconds ?? 1) : 0
      expect(run.lastSummary).toBeLessThan(1.3 * alone.lastSummary + 4 * longest + 1)
      expect(run.slots).toBe(concurrency.max)
    }
  })
})

describe('a set of documents of which some always fail', () => {
  const kinds = fc.constantFrom(
    limited(1),
    limited(10),
    limited(),
    createStatusError(529),
    createStatusError(500),
    createStatusError(503, { retryAfterSeconds: 30 }),
  )
  const documents = fc.array(fc.option(kinds, { freq: 2 }), { minLength: 1, maxLength: 30 })

  it('delays the others in proportion to the failing documents, even if those come first', async () => {
    const lastSummary = async (bad: number) =>
      (
        await runOf({
          count: bad + 10,
          concurrency: oneSlot,
          maxWaitMs: 3_600_000,
          fault: (document) => (document < bad ? limited(1) : undefined),
        })
      ).lastSummary
    const [some, many] = [await lastSummary(15), await lastSummary(60)]
    expect(many).toBeLessThan(5 * some)
  })

  it('has all others summarized, within the time of their requests and four pauses per document', () =>
    fc.assert(
      fc.asyncProperty(
        documents,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 4 }),
        async (documents, most, retries) => {
          const good = numbers(documents.length).filter((n) => documents[n] === null)
          // Without any success, the failure of one document cannot be distinguished from an outage.
          fc.pre(good.length > 0)
          const run = await runOf({
            count: documents.length,
            concurrency: { initial: most, max: most },
            retries,
            maxWaitMs: 3_600_000,
            fault: (document) => documents[document] ?? undefined,
          })
          expect(run.summarized).toEqual(good)
          const longestPause = Math.max(...documents.map((fault) => fault?.retryAfterSeconds ?? 1)) * 1.1
          expect(run.lastSummary).toBeLessThan(good.length * 1.1 + documents.length * 4 * longestPause + 1)
        },
      ),
      { numRuns: 30 },
    ))
})

describe('a document with an account error while others succeed', () => {
  const refusal = (status: number, page: boolean) =>
    createStatusError(status, {
      type: page ? `http_${status}` : 'permission_error',
      ...(page && { nonApiResponse: { host: 'api.example', contentType: 'text/html' } }),
    })

  it.each([401, 403, 404])(
    'is sent once more after a %d, and the run continues if the second try succeeds',
    async (status) => {
      let slips = 1
      const run = await runOf({
        count: 30,
        retries: 0,
        concurrency: oneSlot,
        fault: (document) => (document === 9 && slips-- > 0 ? refusal(status, false) : undefined),
      })
      expect([run.stopped, run.summarized, run.sent.get(9)?.length]).toEqual([undefined, numbers(30), 2])
    },
  )

  it.each<[string, boolean, number, TestPipelineOptions]>([
    ['an error of the API', false, 9, { concurrency: oneSlot }],
    ['an error of the API', false, 29, { concurrency: oneSlot }],
    ['an error of the API', false, 0, {}],
    ['an HTML page', true, 9, { concurrency: oneSlot }],
    ['an HTML page', true, 29, { concurrency: oneSlot }],
    ['an HTML page', true, 0, { concurrency: oneSlot }],
    ['an HTML page', true, 0, {}],
  ])('fails alone after a second try with %s (page: %s, number %i)', async (_, page, bad, options) => {
    const run = await runOf({
      count: 30,
      ...options,
      fault: (document) => (document === bad ? refusal(403, page) : undefined),
    })
    expect([run.stopped, run.failed, run.summarized]).toEqual([undefined, [bad], others(30, bad)])
    expect(run.sent.get(bad)).toHaveLength(2)
  })

  it('does not end the run after five other such errors while more requests are in flight', async () => {
    for (const concurrency of [
      { initial: 8, max: 8 },
      { initial: 3, max: 3 },
    ]) {
      const run = await runOf({
        count: 60,
        concurrency,
        fault: (document) => (document < 5 || document === 30 ? refusal(403, true) : undefined),
      })
      expect([run.stopped, run.failed]).toEqual([undefined, [0, 1, 2, 3, 4, 30]])
    }
  })

  it.each([
    ['an error of the API', false],
    ['an HTML page', true],
  ])('ends the run immediately if all requests get %s, from the start or later', async (_, page) => {
    for (const from of [0, 3000]) {
      const run = await runOf({
        count: 200,
        fault: (_, now) => (now >= from ? refusal(401, page) : undefined),
      })
      expect(run.stopped).toMatchObject({ name: 'AccountError' })
      expect(run.failed).toEqual([])
      // The requests in flight, and at most one second try.
      expect(run.sent.size - run.summarized.length).toBeLessThanOrEqual(run.slots)
    }
  })
})
