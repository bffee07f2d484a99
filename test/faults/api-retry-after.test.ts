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

/** What the client reads off a response with these headers. */
async function faultWith(status: number, headers: Record<string, string>): Promise<RequestError> {
  const { client } = await createSimulatedClient({ script: () => ({ kind: 'status', status, headers }) })
  const error = await client.ask(createRequest('a.md'), never).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(AskError)
  return (error as AskError).requestError
}

/** How long the run waits before it sends again: milliseconds, with all jitter at its longest. */
async function waitAfter(fault: RequestError): Promise<number> {
  const { clock, ask } = createTestPipeline(createScriptedAsk(fault, 'ok'))
  await clock.run(ask())
  return clock.now()
}

describe('the wait a response asks for', () => {
  const hourAgo = (seconds: number) => new Date(Date.now() - 3_600_000 + seconds * 1000).toUTCString()
  const ownBackoff = 1000

  it.each<[string, string, Record<string, string>, number]>([
    ['A16', 'that says nothing is our own backoff', {}, ownBackoff],
    ['A28', 'as a fraction is waited out', { 'retry-after': '1.5' }, 1500],
    [
      'A29',
      'as a date is counted from the response’s date',
      { 'retry-after': hourAgo(3), date: hourAgo(0) },
      3000,
    ],
    ['A30', 'as a past date is our own backoff', { 'retry-after': hourAgo(0) }, ownBackoff],
    ['A30', 'as -5 is our own backoff', { 'retry-after': '-5' }, ownBackoff],
    ['A30', 'as 0 is our own backoff', { 'retry-after': '0' }, ownBackoff],
    ['A30', 'as abc is our own backoff', { 'retry-after': 'abc' }, ownBackoff],
    ['A30', 'as 0x10 is our own backoff', { 'retry-after': '0x10' }, ownBackoff],
    ['A30', 'as an empty header is our own backoff', { 'retry-after': '' }, ownBackoff],
    ['A30', 'twice is the longer one', { 'retry-after': '2, 5' }, 5000],
    [
      'A32',
      'in milliseconds goes before one in seconds',
      { 'retry-after-ms': '200', 'retry-after': '30' },
      200,
    ],
  ])('%s %s', async (_row, _name, headers, ms) => {
    const limited = await faultWith(429, headers)
    expect(await waitAfter(limited)).toBeGreaterThanOrEqual(ms)
    expect(await waitAfter(limited)).toBeLessThanOrEqual(ms * 1.1)
    expect(await waitAfter(await faultWith(503, headers))).toBe(ms)
  })

  it('A31 of years ends the run at once, and leaves everything for later', async () => {
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
  it('A12 holds for every document, is told once, and fails none', async () => {
    const headers = { 'retry-after': '1' }
    // Slower than the program is at reading the 429 on a busy machine.
    const slower = { kind: 'answer', delayMs: 200 } as const
    const others = Object.fromEntries(['d', 'e', 'f', 'g', 'h'].map((name) => [name, [slower]]))
    const rows = { A12: [{ kind: 'status', status: 429, headers } as const, answer], ...others }
    const [seen] = await withFaults({ rows, flags: ['--concurrency', '2', '--verbose'] })
    expect(seen?.code).toBe(0)
    const [refused = 0, again = 0] = seen?.fates['A12']?.sent ?? []
    expect(again - refused).toBeGreaterThan(1000)
    const all = Object.values(seen?.fates ?? {}).flatMap(({ sent }) => sent)
    // One may have been under way, and one may have followed it before the 429 was read.
    expect(all.filter((at) => at > refused && at < refused + 1000).length).toBeLessThanOrEqual(2)
    expect(seen?.stderr.match(/paused/g)).toHaveLength(1)
  })

  it('A13 of a minute costs a probe per pause and no document', async () => {
    const { replies, failed, starts, pauses } = await sendAll(30, (now) =>
      now < 60_000 ? createStatusError(429, { retryAfterSeconds: 5 }) : undefined,
    )
    expect([replies, failed]).toEqual([30, 0])
    expect(pauses.length).toBeLessThanOrEqual(60 / 5)
    // The first few meet it together, then one for each pause.
    expect(starts.filter((start) => start < 60_000).length).toBeLessThanOrEqual(8 + pauses.length)
  })

  it('A33 that the headers say is used up is waited for before it is exceeded', async () => {
    const { client } = await createSimulatedClient({ limits: { rpm: 30, burst: 1 / 30 } })
    const reply = await client.ask(createRequest('a.md'), never)
    expect(reply.limits?.requests).toEqual({ limit: 30, remaining: 0 })
    const { clock, ask } = createTestPipeline(createScriptedAsk(reply))
    await clock.run(ask().then(() => ask()))
    expect(clock.now()).toBeGreaterThanOrEqual(2000)
    expect(clock.now()).toBeLessThan(2300)
  })
})

describe('a service in trouble', () => {
  it('A19 for good ends the run, and leaves the documents for later', async () => {
    const { stopped, failed, starts, seconds } = await sendAll(1000, () => createStatusError(500), 60_000)
    expect(stopped).toMatchObject({ name: 'WaitTooLongError' })
    expect(failed).toBe(0)
    // What was under way when it began, and a probe about every second.
    expect(starts.length).toBeLessThan(8 + 20 + 60)
    expect(seconds).toBeLessThanOrEqual(61)
  })

  it('A27 half of the time is asked no more than twice a document, and loses no more than chance has it', async () => {
    const random = createSeededRandom(27)
    const flaky = () => (random() < 0.5 ? createStatusError(500) : undefined)
    const { stopped, replies, failed, starts } = await sendAll(400, flaky)
    expect(stopped).toBeUndefined()
    expect(replies + failed).toBe(400)
    expect(starts.length).toBeLessThan(400 * 2.1)
    // Four sendings that all fail: one document in sixteen.
    expect(failed).toBeLessThan(400 / 16 + 5)
  })
})
