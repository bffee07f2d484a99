import { createHash } from 'node:crypto'
import Anthropic, { APIConnectionError, type APIError } from '@anthropic-ai/sdk'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { answerAfter, createGate } from '../support/manual-response.ts'

const question = {
  model: 'claude-haiku-5-5',
  max_tokens: 200,
  messages: [
    { role: 'user' as const, content: 'The harbour handled nine million tonnes last year. Say it shorter.' },
  ],
}

const quick = { medianMs: 1, sigma: 0 }

const started = async (options: SimulatorOptions = {}) => {
  const simulator = await startSimulator({ latency: quick, ...options })
  onTestFinished(() => simulator.close())
  const client = new Anthropic({ apiKey: 'test', baseURL: simulator.url, maxRetries: 0, logLevel: 'off' })
  return { simulator, client }
}

const withBehaviour = (behaviour: Behaviour) => started({ script: () => behaviour })

const errorOf = (promise: PromiseLike<unknown>): Promise<APIError> =>
  Promise.resolve(promise).then(
    () => {
      throw new Error('it should have failed')
    },
    (error: APIError) => error,
  )

describe('a message', () => {
  it('is sent as JSON, with usage, ids and the requested model', async () => {
    const { client } = await started()
    const { data, response, request_id } = await client.messages.create(question).withResponse()
    expect(data).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      model: 'claude-haiku-5-5',
      stop_reason: 'end_turn',
      stop_details: null,
      content: [{ type: 'text', text: expect.stringMatching(/^\[simulated\] The harbour/) }],
    })
    expect(data.usage).toMatchObject({ cache_read_input_tokens: 0, service_tier: 'standard' })
    expect(data.usage.input_tokens).toBeGreaterThan(20)
    expect(data.usage.output_tokens).toBeGreaterThan(5)
    expect(request_id).toMatch(/^req_/)
    expect(response.headers.get('anthropic-organization-id')).not.toBeNull()
  })

  it('has the same content as a stream', async () => {
    const { client } = await started()
    const whole = await client.messages.create(question)
    const stream = client.messages.stream(question)
    const pieces: string[] = []
    stream.on('text', (text) => pieces.push(text))
    const streamed = await stream.finalMessage()
    expect(streamed.content).toMatchObject(whole.content)
    expect(streamed.usage).toMatchObject({
      input_tokens: whole.usage.input_tokens,
      output_tokens: whole.usage.output_tokens,
    })
    expect(streamed.stop_reason).toBe('end_turn')
    expect(pieces.length).toBeGreaterThan(3)
  })

  it('is cut off if max_tokens is too low', async () => {
    const { client } = await started()
    const message = await client.messages.create({ ...question, max_tokens: 8 })
    expect(message).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 8 } })
  })

  it('has as many input tokens as count_tokens returns', async () => {
    const { client } = await started()
    const { max_tokens: _, ...counted } = question
    const { input_tokens } = await client.messages.countTokens(counted)
    expect((await client.messages.create(question)).usage.input_tokens).toBe(input_tokens)
  })
})

describe('the simulated API', () => {
  it('lists its models', async () => {
    const { client } = await started()
    expect((await client.models.list()).data.map(({ id }) => id)).toContain('claude-haiku-5-5')
    expect(await client.models.retrieve('claude-haiku-4-5')).toMatchObject({ max_tokens: 64_000 })
    expect(await errorOf(client.models.retrieve('gpt-4'))).toMatchObject({ status: 404 })
  })

  it('requires a key of either kind', async () => {
    const { simulator } = await started()
    const status = async (headers: Record<string, string>) => {
      const response = await fetch(`${simulator.url}/v1/messages`, {
        method: 'POST',
        body: JSON.stringify(question),
        headers: { 'anthropic-version': '2026-10-21', ...headers },
      })
      await response.text()
      return response.status
    }
    expect(await status({})).toBe(401)
    expect(await status({ authorization: 'Bearer k' })).toBe(200)
    expect(await status({ 'x-api-key': 'k' })).toBe(200)
  })

  it.each<[string, object, number, string]>([
    ['an unknown model', { model: 'gpt-4' }, 404, 'not_found_error'],
    ['temperature', { temperature: 0 }, 400, 'invalid_request_error'],
    ['a body beyond 32 MB', { system: 'x'.repeat(33_000_000) }, 413, 'request_too_large'],
  ])('rejects %s', async (_name, change, status, type) => {
    const { client } = await started()
    expect(await errorOf(client.messages.create({ ...question, ...change }))).toMatchObject({ status, type })
  })

  it('sends a 404 for other paths, and a 400 for invalid JSON', async () => {
    const { simulator } = await started()
    const post = (path: string, body: string) =>
      fetch(simulator.url + path, { method: 'POST', body, headers: { 'x-api-key': 'k' } })
    expect((await post('/v1/complete', '{}')).status).toBe(404)
    expect((await post('/v1/messages', '{"model":')).status).toBe(400)
  })

  it('sends its limits, and names the enforced one and the wait', async () => {
    const { client } = await started({ limits: { rpm: 2 } })
    const { response } = await client.messages.create(question).withResponse()
    expect(response.headers.get('anthropic-ratelimit-requests-limit')).toBe('2')
    expect(response.headers.get('anthropic-ratelimit-requests-remaining')).toBe('1')
    await client.messages.create(question)
    const error = await errorOf(client.messages.create(question))
    expect(error).toMatchObject({ status: 429, type: 'rate_limit_error' })
    expect(error.message).toContain('requests')
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThanOrEqual(29)
  })

  it('can leave out the rate limit headers, like a proxy that strips them', async () => {
    const { client } = await started({ rateLimitHeaders: false })
    const { response } = await client.messages.create(question).withResponse()
    expect([...response.headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([])
  })
})

describe('a simulated fault', () => {
  it('is an error with type, code and headers as scripted', async () => {
    const { client } = await withBehaviour({
      kind: 'status',
      status: 429,
      code: 'enforced_spend_limit_reached',
      message: 'You are out of money',
      headers: { 'x-should-retry': 'false' },
    })
    const error = await errorOf(client.messages.create(question))
    expect(error).toMatchObject({
      status: 429,
      type: 'rate_limit_error',
      errorCode: 'enforced_spend_limit_reached',
    })
    expect(error.headers?.get('x-should-retry')).toBe('false')
  })

  it('is a page of a proxy, or an empty body', async () => {
    const page = await withBehaviour({
      kind: 'status',
      status: 502,
      headers: { 'content-type': 'text/html' },
      body: '<h1>502</h1>',
    })
    expect(await errorOf(page.client.messages.create(question))).toMatchObject({ status: 502, type: null })
    const nothing = await withBehaviour({ kind: 'status', status: 500, body: '' })
    expect(await errorOf(nothing.client.messages.create(question))).toMatchObject({ status: 500, type: null })
  })

  it('is a reset before the answer, which is not billed and has no status', async () => {
    const { client, simulator } = await withBehaviour({ kind: 'reset', inBody: false, delayMs: 0 })
    expect(await errorOf(client.messages.create(question))).toBeInstanceOf(APIConnectionError)
    await expect.poll(() => simulator.stats().inFlight).toBe(0)
    expect(simulator.stats()).toMatchObject({ requests: 1, aborted: 0, billed: { requests: 0 } })
    expect([...simulator.stats().byStatus]).toEqual([])
  })

  it.each<[string, Behaviour]>([
    ['a reset in the answer', { kind: 'reset', inBody: true, delayMs: 0 }],
    ['a truncated answer', { kind: 'truncate', delayMs: 0 }],
  ])('is %s, plain or streamed, and it is billed', async (_name, behaviour) => {
    const { client, simulator } = await withBehaviour(behaviour)
    await errorOf(client.messages.create(question))
    await errorOf(client.messages.stream(question).finalMessage())
    await expect.poll(() => simulator.stats().inFlight).toBe(0)
    expect(simulator.stats()).toMatchObject({ aborted: 0, billed: { requests: 2 } })
  })

  it('is an error in the middle of a stream', async () => {
    const { client } = await withBehaviour({ kind: 'mid-stream-error', type: 'overloaded_error', delayMs: 0 })
    const stream = client.messages.stream(question)
    let text = ''
    stream.on('text', (piece) => {
      text += piece
    })
    expect(await errorOf(stream.finalMessage())).toMatchObject({
      type: 'overloaded_error',
      status: undefined,
    })
    expect(text).not.toBe('')
  })

  it.each([true, false])(
    'is silence until the client disconnects, after headers: %s',
    async (afterHeaders) => {
      const { client, simulator } = await withBehaviour({ kind: 'stall', afterHeaders })
      const hangUp = new AbortController()
      const asking = errorOf(
        client.messages
          .create({ ...question, stream: true }, { signal: hangUp.signal })
          .then(async (events) => {
            for await (const _ of events);
            // An aborted stream ends without an error in the SDK.
            throw new Error('ended')
          }),
      )
      await expect.poll(() => simulator.stats().inFlight).toBe(1)
      hangUp.abort()
      await asking
      await expect.poll(() => simulator.stats()).toMatchObject({ inFlight: 0, aborted: 1 })
    },
  )

  it('is a complete but unusable answer', async () => {
    const answer = async (behaviour: Behaviour) =>
      (await withBehaviour(behaviour)).client.messages.create(question)
    expect(await answer({ kind: 'answer', delayMs: 0, content: [] })).toMatchObject({
      content: [],
      stop_reason: 'end_turn',
    })
    expect(await answer({ kind: 'answer', delayMs: 0, text: '', stopReason: 'refusal' })).toMatchObject({
      stop_reason: 'refusal',
    })
    expect(await answer({ kind: 'answer', delayMs: 0, model: 'another' })).toMatchObject({ model: 'another' })
    expect(await answer({ kind: 'answer', delayMs: 0, usage: null })).not.toHaveProperty('usage')
  })

  it('occurs at its rate, drawn from the seed', async () => {
    const { client, simulator } = await started({ faults: { '529': 0.5 }, seed: 3 })
    for (let n = 0; n < 20; n++) await client.messages.create(question).catch(() => undefined)
    const { byStatus } = simulator.stats()
    expect((byStatus.get(200) ?? 0) + (byStatus.get(529) ?? 0)).toBe(20)
    expect(byStatus.get(529)).toBeGreaterThan(3)
  })
})

describe('the statistics of the simulator', () => {
  it('count requests by prompt, arrival times and billed tokens', async () => {
    const { client, simulator } = await started()
    const first = await client.messages.create(question)
    const second = await client.messages.create(question)
    const sha = createHash('sha256')
      .update(question.messages[0]?.content ?? '')
      .digest('hex')
    const { prompts, requestTimes, billed, requests } = simulator.stats()
    expect([...prompts]).toEqual([[sha, 2]])
    expect(requestTimes).toHaveLength(2)
    expect(requests).toBe(2)
    expect(billed).toEqual({
      requests: 2,
      inputTokens: first.usage.input_tokens + second.usage.input_tokens,
      outputTokens: first.usage.output_tokens + second.usage.output_tokens,
    })
  })

  it('show one request in flight for a client that sends one after the other', async () => {
    const { client, simulator } = await started()
    for (let n = 0; n < 50; n++) await client.messages.create(question)
    expect(simulator.stats().maxInFlight).toBe(1)
  })

  it('show all requests that are sent at the same time', async () => {
    const allArrived = createGate()
    const { client, simulator } = await started({ script: () => answerAfter(allArrived.opened) })
    const answers = Array.from({ length: 8 }, () => client.messages.create(question))
    await vi.waitFor(() => expect(simulator.stats().requests).toBe(8), 30_000)
    allArrived.open()
    await Promise.all(answers)
    expect(simulator.stats()).toMatchObject({ maxInFlight: 8, requests: 8 })
  })

  it('include the last answer as soon as the client has it', async () => {
    const { client, simulator } = await started()
    for (let n = 1; n <= 20; n++) {
      await client.messages.create(question)
      expect(simulator.stats().byStatus.get(200)).toBe(n)
      expect(simulator.stats().inFlight).toBe(0)
    }
  })
})

describe('closing the simulator', () => {
  it('is immediate, even with an open stream', async () => {
    const { client, simulator } = await started({ script: () => ({ kind: 'answer', delayMs: 60_000 }) })
    const asking = errorOf(client.messages.stream(question).finalMessage())
    await expect.poll(() => simulator.stats().inFlight).toBe(1)
    await simulator.close()
    await asking
    expect(await errorOf(client.messages.create(question))).toBeInstanceOf(APIConnectionError)
  })
})
