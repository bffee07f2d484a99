import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { ClaudeBatchError, createClient, summarizeAll } from '../../src/index.ts'
import { answerWith, createLibraryClient, getRejection, overloaded } from '../support/library-client.ts'
import { longWait } from '../support/long-wait.ts'
import { startService } from '../support/run-cli.ts'

describe('client.complete', () => {
  it('resolves with the text, the usage, the cost and the model', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith('Short.') })
    const done = await client.complete({ system: 'Be brief.', user: 'What is a tide table?' })
    const { requests, billed } = simulator.stats()
    expect(done).toEqual({
      text: 'Short.',
      model: 'claude-haiku-5-5',
      requestId: 'req_sim00000001',
      attempts: 1,
      usage: {
        inputTokens: billed.inputTokens,
        cacheCreation5mInputTokens: 0,
        cacheCreation1hInputTokens: 0,
        cacheReadInputTokens: 0,
        outputTokens: billed.outputTokens,
      },
      costUsd: expect.closeTo((billed.inputTokens * 0.1 + billed.outputTokens * 0.5) / 1e6, 12),
      lostReplies: 0,
      elapsedMs: expect.any(Number),
    })
    expect(requests).toBe(1)
  })

  it('applies one rate limit to all callers of a client', async () => {
    const { client, simulator } = await createLibraryClient({}, { rpm: 300 })
    await Promise.all(Array.from({ length: 10 }, (_, n) => client.complete(`What is ${n}?`)))
    const { requestTimes, byStatus } = simulator.stats()
    // Up to five requests start immediately, then one every 200 ms. Two rate limiters would be twice as fast.
    expect((requestTimes.at(-1) ?? 0) - (requestTimes[0] ?? 0)).toBeGreaterThan(700)
    expect([...byStatus]).toEqual([[200, 10]])
  })

  it('never has more requests in flight than the concurrency, for any number of callers', async () => {
    const { client, simulator } = await createLibraryClient({}, { concurrency: 2 })
    await Promise.all(Array.from({ length: 12 }, (_, n) => client.complete(`What is ${n}?`)))
    expect(simulator.stats()).toMatchObject({ requests: 12, maxInFlight: 2 })
  })

  it('retries transient errors', async () => {
    const { client } = await createLibraryClient({
      script: ({ index }) =>
        index < 2 ? { ...overloaded, headers: { 'retry-after-ms': '1' } } : answerWith('At last.'),
    })
    expect(await client.complete('Are you there?')).toMatchObject({ text: 'At last.', attempts: 3 })
  })

  it('does not retry other errors, and rejects with their details', async () => {
    const { client, simulator } = await createLibraryClient({
      script: () => ({ kind: 'status', status: 400, message: 'max_tokens: too high' }),
    })
    const error = await getRejection(client.complete('Is this right?'))
    expect(error).toBeInstanceOf(ClaudeBatchError)
    expect(error).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      message: '400 invalid_request_error: max_tokens: too high',
      transient: false,
      attempts: 1,
      costUsd: 0,
      partial: null,
      requestId: 'req_sim00000001',
    })
    expect(simulator.stats().requests).toBe(1)
  })

  it('rejects with a transient error after its retries', async () => {
    const { client } = await createLibraryClient({ script: () => overloaded }, { retries: 0 })
    expect(await getRejection(client.complete('Are you there?'))).toMatchObject({
      status: 529,
      type: 'overloaded_error',
      transient: true,
      attempts: 1,
    })
  })

  it('rejects instead of waiting longer than maxWaitMs', async () => {
    const { client } = await createLibraryClient(
      { script: () => ({ kind: 'status', status: 429, headers: { 'retry-after': '3600' } }) },
      { maxWaitMs: 60_000 },
    )
    const error = await getRejection(client.complete('Is there room?'))
    expect(error).toMatchObject({ type: 'wait_too_long', transient: true, attempts: 1 })
    expect((error as Error).message).toMatch(
      /asks for a pause of 1 h, longer than maxWaitMs 1 min.*; try again later$/,
    )
  })

  it.each([
    [
      'truncated',
      { stopReason: 'max_tokens' },
      'max_tokens',
      'Half',
      /cut off at 1024 output tokens; raise maxTokens$/,
    ],
    ['refused', { stopReason: 'refusal', text: '' }, 'refusal', null, /declined/],
    ['empty', { text: ' ' }, 'empty', ' ', /without any text/],
  ])('rejects with the cost of a reply that was %s', async (_, fields, type, partial, message) => {
    const { client } = await createLibraryClient({
      script: () => ({ ...answerWith('Half the'), ...fields }),
    })
    const error = await getRejection(client.complete('Go on.'))
    expect(error).toMatchObject({ type, partial, status: null, transient: false, attempts: 1 })
    expect((error as ClaudeBatchError).costUsd).toBeGreaterThan(0)
    expect((error as Error).message).toMatch(message)
  })

  it('rejects after an account error with a message that names the fix but not the key', async () => {
    const { client } = await createLibraryClient({ script: () => ({ kind: 'status', status: 401 }) })
    const error = (await getRejection(client.complete('Who am I?'))) as Error
    expect(error).toMatchObject({ status: 401, type: 'authentication_error', transient: false })
    expect(error.message).toMatch(/; check ANTHROPIC_API_KEY$/)
    expect(inspect([client, error], { depth: 9, showHidden: true })).not.toContain('sk-ant-test')
  })

  it('rejects with the reason of the signal, and cancels the HTTP request', async () => {
    const { client, simulator } = await createLibraryClient({
      script: () => ({ kind: 'stall', afterHeaders: false }),
    })
    const reason = new Error('changed my mind')
    const stop = new AbortController()
    const asked = getRejection(client.complete('Are you there?', { signal: stop.signal }))
    await vi.waitUntil(() => simulator.stats().inFlight === 1, longWait)
    stop.abort(reason)
    expect(await asked).toBe(reason)
    await vi.waitUntil(() => simulator.stats().aborted === 1, longWait)
    expect(await getRejection(client.complete('And now?', { signal: stop.signal }))).toBe(reason)
    expect(await getRejection(client.complete('And now?', { signal: AbortSignal.abort('enough') }))).toBe(
      'enough',
    )
  })

  it('sends no request for an aborted caller in the queue', async () => {
    const { client, simulator } = await createLibraryClient(
      { latency: { medianMs: 100, sigma: 0 } },
      { concurrency: 1 },
    )
    const stop = new AbortController()
    const first = client.complete('One?')
    const second = getRejection(client.complete('Two?', { signal: stop.signal }))
    const third = client.complete('Three?')
    stop.abort('tired')
    expect(await second).toBe('tired')
    await Promise.all([first, third])
    expect(simulator.stats().requests).toBe(2)
  })

  it('leaves the queue of the rate limiter as soon as its signal aborts', async () => {
    const { client, simulator } = await createLibraryClient({}, { rpm: 1 })
    await client.complete('One?')
    // The rate limiter sends the second request after a minute.
    const second = getRejection(client.complete('Two?'))
    const stop = new AbortController()
    const third = getRejection(client.complete('Three?', { signal: stop.signal }))
    await new Promise((resolve) => setImmediate(resolve))
    stop.abort('tired')
    expect(await third).toBe('tired')
    await client.close()
    expect(await second).toMatchObject({ type: 'closed' })
    expect(simulator.stats().requests).toBe(1)
  })

  it('accepts one signal for any number of requests without a warning', async () => {
    const { client } = await createLibraryClient()
    const warnings: Error[] = []
    const listen = (warning: Error) => warnings.push(warning)
    process.on('warning', listen)
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 30 }, (_, n) => client.complete(`${n}?`, { signal })))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', listen)
    expect(warnings).toEqual([])
  })

  it('accepts a text with a lone surrogate', async () => {
    const { client } = await createLibraryClient()
    expect((await client.complete('Summarize: The tide is high. 🌊'.slice(0, -1))).attempts).toBe(1)
  })

  it('rejects an empty or invalid question with a TypeError, without a request', async () => {
    const { client, simulator } = await createLibraryClient()
    for (const nothing of [
      '',
      ' \n',
      undefined,
      null,
      { system: 'x' },
      { user: 3 },
      { user: 'x', temperature: 1 },
    ])
      expect(await getRejection(client.complete(nothing as string))).toBeInstanceOf(TypeError)
    expect(simulator.stats().requests).toBe(0)
  })
})

describe('maxCostUsd and prices', () => {
  it('limit the total cost of any number of simultaneous requests', async () => {
    const maxCostUsd = 0.003
    const { client, simulator } = await createLibraryClient({}, { maxCostUsd, maxTokens: 1024 })
    const asked = Array.from({ length: 200 }, (_, n) =>
      client.complete(`Say ${n}. ${'Boats float. '.repeat(40)}`),
    )
    const settled = await Promise.allSettled(asked)
    const refused = settled.filter((it) => it.status === 'rejected').map(({ reason }) => reason as unknown)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(200)
    for (const error of refused)
      expect(error).toMatchObject({ type: 'budget_exceeded', message: /stopped at maxCostUsd \$0.003/ })
    const { inputTokens, outputTokens } = simulator.stats().billed
    expect((inputTokens * 0.1 + outputTokens * 0.5) / 1e6).toBeLessThanOrEqual(maxCostUsd)
  })

  it('end summarizeAll after the outcomes that fit the budget', async () => {
    const { client } = await createLibraryClient({}, { maxCostUsd: 0.001 })
    const outcomes: string[] = []
    const run = async () => {
      for await (const { status } of summarizeAll(Array(50).fill('Boats float.'), { client }))
        outcomes.push(status)
    }
    expect(await getRejection(run())).toMatchObject({ type: 'budget_exceeded' })
    expect(outcomes).toContain('summarized')
  })

  it('replace the list prices', async () => {
    const prices = { haiku: { input: 1_000, output: 0 } }
    const { client } = await createLibraryClient({}, { prices })
    const { usage, costUsd } = await client.complete('Why do boats float?')
    expect(costUsd).toBe((usage?.inputTokens ?? 0) / 1000)
  })

  it.each([
    [{ prices: 'x' }],
    [{ prices: { a: { input: 1 } } }],
    [{ prices: { a: { input: -1, output: 1 } } }],
    [{ maxCostUsd: -1 }],
  ])('reject %j', (options) => expect(() => createClient(options as object)).toThrow(TypeError))
})

describe('createClient', () => {
  it.each([
    [{ rpm: '60' }, 'createClient: rpm must be a number from 0.001 to 1000000'],
    [{ concurrency: 1.5 }, 'createClient: concurrency must be a whole number from 1 to 256'],
    [{ retries: -1 }, 'createClient: retries must be a whole number from 0 to 20'],
    [{ maxWaitMs: Number.NaN }, 'createClient: maxWaitMs must be a number from 0 to 604800000'],
    [{ model: '' }, 'createClient: model must be a name'],
    [{ effort: 'some' }, 'createClient: effort must be one of low, medium, high, xhigh, max'],
    [{ effort: 'low', model: 'claude-haiku-4-5' }, 'createClient: effort low: claude-haiku-4-5 accepts none'],
    [{ signal: 'stop' }, 'createClient: signal must be an AbortSignal'],
    [{ allowHttp: 'a' }, 'createClient: allowHttp must be a list of hosts, without scheme, port or path'],
    [
      { allowHttp: ['http://a'] },
      'createClient: allowHttp must be a list of hosts, without scheme, port or path',
    ],
    [{ max_tokens: 5 }, 'createClient has no option max_tokens'],
    [
      { apiKey: 'sk-ant-1' },
      'createClient has no option apiKey; credentials and the base URL come from the environment (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL)',
    ],
  ])('rejects %j with a message that names the mistake', (options, message) => {
    expect(() => createClient(options as object)).toThrow(new TypeError(message))
  })

  it('needs credentials only for the first request, whose error names them', async () => {
    const client = createClient({ env: { ANTHROPIC_CONFIG_DIR: '/nonexistent' } })
    const error = (await getRejection(client.complete('Who am I?'))) as Error
    expect(error).toMatchObject({ type: 'configuration', transient: false, attempts: 0 })
    expect(error.message).toBe(
      'no credentials found: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN, or an Anthropic profile)',
    )
  })

  it('sends no key over plain HTTP to a host that is not allowed', async () => {
    const env = { ANTHROPIC_API_KEY: 'sk-ant-x', ANTHROPIC_BASE_URL: 'http://10.evil.example' }
    for (const allowHttp of [undefined, ['evil.example']]) {
      const error = (await getRejection(createClient({ env, allowHttp }).complete('?'))) as Error
      expect(error).toMatchObject({ type: 'configuration', attempts: 0 })
      expect(error.message).toMatch(
        /^refusing to send a key over plain http to 10\.evil\.example;.* allowHttp: 10\.evil\.example$/,
      )
    }
  })

  it('reads credentials and the base URL from the given environment', async () => {
    const one = await createLibraryClient({ script: () => answerWith('one') })
    const two = await createLibraryClient({ script: () => answerWith('two') })
    vi.stubEnv('ANTHROPIC_BASE_URL', 'http://127.0.0.1:9')
    const texts = await Promise.all([one, two].map(async ({ client }) => (await client.complete('?')).text))
    vi.unstubAllEnvs()
    expect(texts).toEqual(['one', 'two'])
  })

  it('sends the custom headers of the given environment, and none of the process', async () => {
    vi.stubEnv('ANTHROPIC_CUSTOM_HEADERS', 'Authorization: Bearer of-the-process\nX-Team: first\nX-Other: 1')
    const { env } = await startService({})
    const sent: Headers[] = []
    const fetch: typeof globalThis.fetch = (url, init) => {
      sent.push(new Headers(init?.headers))
      return globalThis.fetch(url, init)
    }
    const client = createClient({ env: { ...env, ANTHROPIC_CUSTOM_HEADERS: 'X-Team: second' }, fetch })
    await client.complete('Are you there?')
    await client.close()
    const names = ['authorization', 'x-team', 'x-other']
    expect(sent.map((headers) => names.map((name) => headers.get(name)))).toEqual([
      [`Bearer ${env['ANTHROPIC_API_KEY']}`, 'second', null],
    ])
  })

  it.each(['close', 'signal'])('aborts requests in flight if it is closed by %s', async (by) => {
    const stop = new AbortController()
    const { client, simulator } = await createLibraryClient(
      { script: () => ({ kind: 'stall', afterHeaders: false }) },
      { signal: stop.signal },
    )
    const asked = getRejection(client.complete('Are you there?'))
    await vi.waitUntil(() => simulator.stats().inFlight === 1, longWait)
    if (by === 'close') await client.close()
    else stop.abort()
    expect(await asked).toMatchObject({ type: 'closed', message: 'this client was closed' })
    expect(await getRejection(client.complete('And now?'))).toMatchObject({ type: 'closed' })
    await vi.waitUntil(() => simulator.stats().aborted === 1, longWait)
    await client.close()
  })

  it('returns a client that is closed at the end of an `await using` block', async () => {
    const { client } = await createLibraryClient()
    {
      await using own = client
      await own.complete('Are you there?')
    }
    expect(await getRejection(client.complete('And now?'))).toMatchObject({ type: 'closed' })
  })
})
