import { describe, expect, it } from 'vitest'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../../src/core/errors/request-error.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import { ExitError } from '../../../src/errors.ts'
import { createScriptedAsk, createStatusError } from '../../support/scripted-ask.ts'
import { createTestPipeline } from '../../support/test-pipeline.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const mustFail = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  )

describe('withRetry', () => {
  const once = (fault: RequestError) => createScriptedAsk(fault, 'ok')

  it.each([408, 409, 500, 502, 503, 504, 520, 529])(
    'retries after a %d, and reports both attempts',
    async (status) => {
      const script = once(createStatusError(status))
      const { clock, ask } = createTestPipeline(script)
      const reply = await clock.run(ask())
      expect(reply.text).toBe('summary of a.md')
      expect(reply.attempts.map(({ attemptNumber: attempt, status }) => [attempt, status])).toEqual([
        [1, status],
        [2, 200],
      ])
    },
  )

  it('does not retry a stream after the caller received a part of its text', async () => {
    const fault = { kind: 'stream', type: 'overloaded_error', message: 'Overloaded' } as const
    let sent = 0
    const { clock, ask } = createTestPipeline(async (_request, _signal, watch) => {
      if (++sent === 2) watch?.('Once upon')
      throw new AskError(fault)
    })
    const pieces: string[] = []
    const error = await mustFail(clock.run(ask('a.md', { watch: (piece) => pieces.push(piece) })))
    expect(error).toMatchObject({
      requestError: fault,
      attempts: [{ attemptNumber: 1 }, { attemptNumber: 2 }],
    })
    expect(pieces).toEqual(['Once upon'])
  })

  it.each(['a backoff', 'a pause of all requests'])('ends %s as soon as its caller aborts', async (where) => {
    const leave = new AbortController()
    const fault =
      where === 'a backoff' ? createStatusError(500) : createStatusError(429, { retryAfterSeconds: 300 })
    const service = createScriptedAsk(fault, 'ok')
    const { clock, ask } = createTestPipeline(service)
    const asking = ask('a.md', { signal: leave.signal })
    const leaving = clock.sleep(200).then(() => leave.abort(new Error('hung up')))
    const error = await mustFail(clock.run(Promise.all([asking, leaving])))
    expect(error).toMatchObject({ cause: { message: 'hung up' }, attempts: [{ attemptNumber: 1 }] })
    expect(clock.now()).toBe(200)
    expect((await clock.run(ask('b.md'))).text).toBe('summary of b.md')
  })

  it.each([400, 401, 402, 403, 404, 413, 418, 422, 451, 501])('sends a %d exactly once', async (status) => {
    const script = createScriptedAsk(createStatusError(status))
    const { clock, ask } = createTestPipeline(script)
    const error = await mustFail(clock.run(ask()))
    expect(error).toBeInstanceOf(AskError)
    expect(script.requests).toHaveLength(1)
  })

  it('sends each of 847 bad requests once', async () => {
    const script = createScriptedAsk(createStatusError(400, { type: 'invalid_request_error' }))
    const { clock, ask } = createTestPipeline(script)
    const errors = await clock.run(
      Promise.all(Array.from({ length: 847 }, (_, n) => mustFail(ask(`${n}.md`)))),
    )
    expect(errors).toHaveLength(847)
    expect(script.requests).toHaveLength(847)
    expect(clock.now()).toBe(0)
  })

  it('gives up after its retries, with all attempts in the error', async () => {
    const script = createScriptedAsk(createStatusError(500))
    const { clock, ask } = createTestPipeline(script, { retries: 2 })
    const error = (await mustFail(clock.run(ask()))) as AskError
    expect(error.attempts.map(({ attemptNumber: attempt }) => attempt)).toEqual([1, 2, 3])
    expect(clock.now()).toBe(1000 + 2000)
  })

  it('sends a request once with --retries 0', async () => {
    const script = createScriptedAsk(createStatusError(500))
    const { clock, ask } = createTestPipeline(script, { retries: 0 })
    await mustFail(clock.run(ask()))
    expect(script.requests).toHaveLength(1)
  })

  it('obeys x-should-retry with either value, within its number of retries', async () => {
    const never = createScriptedAsk(createStatusError(529, { shouldRetry: false }))
    const { clock, ask } = createTestPipeline(never)
    await mustFail(clock.run(ask()))
    expect(never.requests).toHaveLength(1)

    const told = createScriptedAsk(createStatusError(400, { shouldRetry: true }))
    const second = createTestPipeline(told, { retries: 2 })
    await mustFail(second.clock.run(second.ask()))
    expect(told.requests).toHaveLength(3)
  })

  it('waits for the retry-after time of a 503 instead of its backoff', async () => {
    const { clock, ask } = createTestPipeline(once(createStatusError(503, { retryAfterSeconds: 7 })))
    await clock.run(ask())
    expect(clock.now()).toBe(7000)
  })

  it('ends the run instead of waiting for years', async () => {
    const { clock, ask } = createTestPipeline(
      createScriptedAsk(createStatusError(503, { retryAfterSeconds: 99_999_999 })),
    )
    const error = await mustFail(clock.run(ask()))
    const cause = { name: 'WaitTooLongError', message: expect.stringContaining('3.2 years') }
    expect(error).toMatchObject({ cause, attempts: [{ status: 503 }] })
    expect(clock.now()).toBe(0)
  })

  it('does not retry during a drain, and throws its reason and the attempts', async () => {
    const reason = new ExitError('interrupt', 'stopped')
    const failing = createScriptedAsk(createStatusError(500))
    const stopping: Ask = (request, signal) => {
      shutdown.drain(reason)
      return failing(request, signal)
    }
    const { clock, shutdown, ask } = createTestPipeline(stopping)
    expect(await mustFail(clock.run(ask()))).toMatchObject({ cause: reason, attempts: [{ status: 500 }] })
    expect(failing.requests).toHaveLength(1)
  })

  it('rethrows an unexpected error immediately and unchanged', async () => {
    const bug = new TypeError('undefined is not a function')
    const script = Object.assign(() => Promise.reject(bug), { requests: [] })
    const { clock, ask } = createTestPipeline(script)
    expect(await mustFail(clock.run(ask()))).toBe(bug)
  })
})

describe('a rate limit', () => {
  it('does not count as a retry', async () => {
    const limited = createStatusError(429, { retryAfterSeconds: 1 })
    const script = createScriptedAsk(
      limited,
      limited,
      limited,
      limited,
      limited,
      createStatusError(500),
      'ok',
    )
    const { clock, ask } = createTestPipeline(script, { retries: 1 })
    const reply = await clock.run(ask())
    expect(reply.attempts).toHaveLength(7)
  })

  it('does not count as a retry after all retries are used', async () => {
    const script = createScriptedAsk(
      createStatusError(500),
      createStatusError(429, { retryAfterSeconds: 1 }),
      'ok',
    )
    const { clock, ask } = createTestPipeline(script, { retries: 1 })
    expect((await clock.run(ask())).attempts).toHaveLength(3)
  })

  it('pauses all requests for the requested time, after which a single probe is sent first', async () => {
    const starts: number[] = []
    const clock = createVirtualClock()
    const service = createScriptedAsk(createStatusError(429, { retryAfterSeconds: 2 }), 'ok')
    const slow: Ask = async (request, signal) => {
      starts.push(clock.now())
      await clock.sleep(100)
      return service(request, signal)
    }
    const { ask } = createTestPipeline(slow, { clock, random: () => 0 })
    const first = ask('first.md')
    // Sent 50 ms after the 429 of the first request, while the circuit breaker is open.
    const others = clock.sleep(150).then(() => Promise.all(['b', 'c', 'd'].map((path) => ask(path))))
    await clock.run(Promise.all([first, others]))
    expect(starts[0]).toBe(0)
    expect(starts.slice(1).every((start) => start >= 2100)).toBe(true)
    expect(starts.filter((start) => start < 2200)).toHaveLength(2)
    expect(starts).toHaveLength(5)
  })

  it('is reported once per pause, not once per request', async () => {
    const limited = createStatusError(429, { retryAfterSeconds: 5 })
    const script = createScriptedAsk(limited, limited, limited, 'ok')
    const clock = createVirtualClock()
    const slow: Ask = async (request, signal) => {
      await clock.sleep(100)
      return script(request, signal)
    }
    const { pausesMs: pauses, ask } = createTestPipeline(slow, { clock })
    await clock.run(Promise.all(['a', 'b', 'c'].map((path) => ask(path))))
    expect(pauses).toHaveLength(1)
  })

  it('that lasts longer than --max-wait ends the run with WaitTooLongError', async () => {
    const { clock, ask } = createTestPipeline(
      createScriptedAsk(createStatusError(429, { retryAfterSeconds: 20 })),
      {
        maxWaitMs: 60_000,
      },
    )
    const error = await mustFail(clock.run(ask()))
    expect(error).toMatchObject({ cause: { name: 'WaitTooLongError' } })
    expect(clock.now()).toBeLessThanOrEqual(60_000)
  })

  it('without retry-after causes pauses of 1 s, and later of a tenth of the time since the first 429', async () => {
    const script = Array.from({ length: 40 }, () => createStatusError(429))
    const { clock, pausesMs: pauses, ask } = createTestPipeline(createScriptedAsk(...script, 'ok'))
    await clock.run(ask())
    expect(pauses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 1000))
    expect(pauses.at(-1)).toBeGreaterThan(5000)
    expect(pauses.at(-1)).toBeLessThan(clock.now() / 10)
  })
})
