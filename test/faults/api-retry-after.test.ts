import { describe, expect, it } from 'vitest'
import { AskError } from '../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../src/core/errors/request-error.ts'
import { createSeededRandom } from '../../src/simulator/seeded-random.ts'
import { createRequest, createScriptedAsk, createStatusError } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'
import { createTestPipeline } from '../support/test-pipeline.ts'
import { sendAll } from './many-documents.ts'
import { answer, withFaults } from './with-faults.ts'

const never = new AbortController().signal

/** Returns the request error that the client reads from a response with these headers. */
async function faultWith(status: number, headers: Record<string, string>): Promise<RequestError> {
  const { client } = await createSimulatedClient({ script: () => ({ kind: 'status', status, headers }) })
  const error = await client.ask(createRequest('a.md'), never).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(AskError)
  return (error as AskError).requestError
}

/** Returns how long the pipeline waits before the retry, in ms, with the largest jitter. */
async function waitAfter(fault: RequestError): Promise<number> {
  const { clock, ask } = createTestPipeline(createScriptedAsk(fault, 'ok'))
  await clock.run(ask())
  return clock.now()
}

describe('the wait before a retry', () => {
  const hourAgo = (seconds: number) => new Date(Date.now() - 3_600_000 + seconds * 1000).toUTCString()
  const ownBackoff = 1000

  it.each<[string, string, Record<string, string>, number]>([
    ['A16', 'a response without retry-after leads to the default backoff', {}, ownBackoff],
    ['A28', 'a fraction of a second in retry-after is waited for', { 'retry-after': '1.5' }, 1500],
    [
      'A29',
      'a date in retry-after counts from the Date header of the response',
      { 'retry-after': hourAgo(3), date: hourAgo(0) },
      3000,
    ],
    [
      'A30',
      'a past date in retry-after leads to the default backoff',
      { 'retry-after': hourAgo(0) },
      ownBackoff,
    ],
    ['A30', '-5 in retry-after leads to the default backoff', { 'retry-after': '-5' }, ownBackoff],
    ['A30', '0 in retry-after leads to the default backoff', { 'retry-after': '0' }, ownBackoff],
    ['A30', 'abc in retry-after leads to the default backoff', { 'retry-after': 'abc' }, ownBackoff],
    ['A30', '0x10 in retry-after leads to the default backoff', { 'retry-after': '0x10' }, ownBackoff],
    ['A30', 'an empty retry-after leads to the default backoff', { 'retry-after': '' }, ownBackoff],
    ['A30', 'the longer of two values in retry-after is waited for', { 'retry-after': '2, 5' }, 5000],
    ['A32', 'retry-after-ms overrides retry-after', { 'retry-after-ms': '200', 'retry-after': '30' }, 200],
  ])('%s %s', async (_row, _name, headers, ms) => {
    const limited = await faultWith(429, headers)
    expect(await waitAfter(limited)).toBeGreaterThanOrEqual(ms)
    expect(await waitAfter(limited)).toBeLessThanOrEqual(ms * 1.1)
    expect(await waitAfter(await faultWith(503, headers))).toBe(ms)
  })

  it('A31 a retry-after of several years ends the run immediately and leaves all documents pending', async () => {
    const headers = { 'retry-after': '99999999' }
    const [seen] = await withFaults({ everything: () => ({ kind: 'status', status: 429, headers }) })
    expect(seen?.code).toBe(75)
    expect(seen?.stderr).toMatch(
      /a pause of 3\.2 years, longer than --max-wait 10 min: .*; run .* again later/,
    )
    expect(seen?.stderr).toMatch(/2 pending/)
    expect(seen?.fates['a']?.record ?? seen?.fates['c']?.record).toBeUndefined()
  })
})

describe('a rate limit', () => {
  it('A12 a 429 pauses all documents, is reported once and fails none of them', async () => {
    const headers = { 'retry-after': '1' }
    // Long enough for the program to read the 429 first, even on a busy machine.
    const slower = { kind: 'answer', delayMs: 200 } as const
    const others = Object.fromEntries(['d', 'e', 'f', 'g', 'h'].map((name) => [name, [slower]]))
    const rows = { A12: [{ kind: 'status', status: 429, headers } as const, answer], ...others }
    const [seen] = await withFaults({ rows, flags: ['--concurrency', '2', '--verbose'] })
    expect(seen?.code).toBe(0)
    const [refused = 0, again = 0] = seen?.fates['A12']?.sent ?? []
    expect(again - refused).toBeGreaterThan(1000)
    const all = Object.values(seen?.fates ?? {}).flatMap(({ sent }) => sent)
    // One request may have been in flight, and one may have started before the 429 was read.
    expect(all.filter((at) => at > refused && at < refused + 1000).length).toBeLessThanOrEqual(2)
    expect(seen?.stderr.match(/paused/g)).toHaveLength(1)
  })

  it('A13 a minute of 429s costs one probe per pause and fails no document', async () => {
    const { replies, failed, starts, pauses } = await sendAll(30, (now) =>
      now < 60_000 ? createStatusError(429, { retryAfterSeconds: 5 }) : undefined,
    )
    expect([replies, failed]).toEqual([30, 0])
    expect(pauses.length).toBeLessThanOrEqual(60 / 5)
    // The first requests are refused together; after that, there is one probe per pause.
    expect(starts.filter((start) => start < 60_000).length).toBeLessThanOrEqual(8 + pauses.length)
  })

  it('A33 a limit that is used up according to the headers delays the next request until it resets', async () => {
    const { client } = await createSimulatedClient({ limits: { rpm: 30, burst: 1 / 30 } })
    const reply = await client.ask(createRequest('a.md'), never)
    expect(reply.limits?.requests).toEqual({ limit: 30, remaining: 0 })
    const { clock, ask } = createTestPipeline(createScriptedAsk(reply))
    await clock.run(ask().then(() => ask()))
    expect(clock.now()).toBeGreaterThanOrEqual(2000)
    expect(clock.now()).toBeLessThan(2300)
  })
})

describe('an API that fails', () => {
  it('A19 a permanent outage ends the run and leaves the documents pending', async () => {
    const { stopped, failed, starts, seconds } = await sendAll(1000, () => createStatusError(500), 60_000)
    expect(stopped).toMatchObject({ name: 'WaitTooLongError' })
    expect(failed).toBe(0)
    // The requests in flight at the start, and about one probe per second.
    expect(starts.length).toBeLessThan(8 + 20 + 60)
    expect(seconds).toBeLessThanOrEqual(61)
  })

  it('A27 an error rate of 50 % costs about two requests per document and fails no more than chance predicts', async () => {
    const random = createSeededRandom(27)
    const flaky = () => (random() < 0.5 ? createStatusError(500) : undefined)
    const { stopped, replies, failed, starts } = await sendAll(400, flaky)
    expect(stopped).toBeUndefined()
    expect(replies + failed).toBe(400)
    expect(starts.length).toBeLessThan(400 * 2.1)
    // A document fails if four attempts fail: one in sixteen.
    expect(failed).toBeLessThan(400 / 16 + 5)
  })
})
