import Anthropic from '@anthropic-ai/sdk'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { BodyError, splitRequests } from '../../src/simulator/batch-body.ts'
import { type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { longWait } from '../support/long-wait.ts'

const params = (text = 'The harbour board met and decided to dredge the channel.') =>
  ({
    model: 'claude-haiku-5-5',
    max_tokens: 100,
    messages: [{ role: 'user', content: text }],
  }) satisfies Anthropic.Messages.MessageCreateParamsNonStreaming

async function setting(options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ batches: { durationMs: 20 }, ...options })
  onTestFinished(() => simulator.close())
  const anthropic = new Anthropic({ apiKey: 'any', baseURL: simulator.url, maxRetries: 0 })
  const { batches } = anthropic.messages
  const ended = async (id: string) => {
    await expect.poll(async () => (await batches.retrieve(id)).processing_status, longWait).toBe('ended')
    return batches.retrieve(id)
  }
  const resultsOf = async (id: string) => {
    const results = new Map<string, Anthropic.Messages.MessageBatchResult>()
    for await (const { custom_id, result } of await batches.results(id)) results.set(custom_id, result)
    return results
  }
  const post = (body: string) =>
    fetch(`${simulator.url}/v1/messages/batches`, { method: 'POST', headers: { 'x-api-key': 'any' }, body })
  return { simulator, batches, ended, resultsOf, post }
}

const named = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    custom_id: `id-${n}`,
    params: params(`Note ${n} about berth ${n}.`),
  }))

describe('Message Batches', () => {
  it('are created, processed and fetched through the SDK, with results in another order', async () => {
    const { batches, ended, resultsOf, simulator } = await setting({ batches: { durationMs: 300 } })
    const made = await batches.create({ requests: named(30) })
    expect(made).toMatchObject({
      processing_status: 'in_progress',
      request_counts: { processing: 30, succeeded: 0 },
      results_url: null,
      ended_at: null,
    })
    await expect(batches.results(made.id)).rejects.toThrow(/results_url/)
    expect(simulator.stats().batchBilled.requests).toBe(0)
    const over = await ended(made.id)
    expect(over.request_counts).toMatchObject({ processing: 0, succeeded: 30 })
    const results = await resultsOf(made.id)
    expect([...results.keys()].sort()).toEqual(
      named(30)
        .map(({ custom_id: id }) => id)
        .sort(),
    )
    expect([...results.keys()]).not.toEqual(named(30).map(({ custom_id: id }) => id))
    const [result] = results.values()
    expect(result).toMatchObject({
      type: 'succeeded',
      message: { stop_reason: 'end_turn', usage: { service_tier: 'batch' } },
    })
    expect(simulator.stats().batchBilled.requests).toBe(30)
    expect(simulator.stats().billed.requests).toBe(0)
  })

  it('check parameters only during processing', async () => {
    const { batches, ended, resultsOf } = await setting()
    const wrong = { ...params(), temperature: 1 }
    const requests = [{ custom_id: 'a', params: wrong }, ...named(1)]
    const { id } = await batches.create({ requests } as Parameters<typeof batches.create>[0])
    expect((await ended(id)).request_counts).toMatchObject({ errored: 1, succeeded: 1 })
    expect((await resultsOf(id)).get('a')).toMatchObject({
      type: 'errored',
      error: { type: 'error', error: { type: 'invalid_request_error', message: /temperature/ } },
    })
  })

  it.each([
    ['a custom_id with a dot', [{ custom_id: 'a.md', params: params() }], /custom_id/],
    ['a long custom_id', [{ custom_id: 'a'.repeat(65), params: params() }], /custom_id/],
    ['a duplicate custom_id', [...named(1), ...named(1)], /duplicate/],
    ['an unknown field', [{ custom_id: 'a', params: params(), path: 'x' }], /path: Extra inputs/],
    ['no requests', [], /at least 1/],
  ])('are refused with %s', async (_, requests, message) => {
    const { post } = await setting()
    const response = await post(JSON.stringify({ requests }))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', message } })
  })

  it.each([
    '',
    '[]',
    '{}',
    '{"requests":1}',
    '{"requests":[1]}',
    '{"requests":[{}',
    '{"requests":[{}{}]}',
    '{"requests":[{},]}',
    '{"requests" [{}]}',
    '{"requests":[{}}}',
    '{"requests":[{"custom_id":"a","params":[]}]}',
    '{"requests":[{"custom_id":"a","params":{}}],"model":"x"}',
    '{"other":[]}',
    '{"requests":[]}]',
  ])('are refused if the body is %s', async (body) => {
    const { post } = await setting()
    expect((await post(body)).status).toBe(400)
  })

  it('have at most 100,000 requests', async () => {
    const { post } = await setting()
    const body = Array.from({ length: 100_001 }, (_, n) => `{"custom_id":"${n}","params":{}}`).join(',')
    const response = await post(`{"requests":[${body}]}`)
    expect(await response.json()).toMatchObject({ error: { message: /at most 100000/ } })
  })

  it('expire after a day, with all their requests', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { batches, resultsOf } = await setting({ batches: { durationMs: 100 * 3_600_000 } })
    const { id } = await batches.create({ requests: named(2) })
    vi.setSystemTime(Date.now() + 25 * 3_600_000)
    expect(await batches.retrieve(id)).toMatchObject({
      processing_status: 'ended',
      request_counts: { expired: 2 },
    })
    expect([...(await resultsOf(id)).values()]).toEqual([{ type: 'expired' }, { type: 'expired' }])
  })

  it('can be listed in pages, newest first, canceled, and deleted after their end', async () => {
    const { batches, ended } = await setting({ batches: { durationMs: 60_000 } })
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.unshift((await batches.create({ requests: named(4) })).id)
    const found: string[] = []
    for await (const { id } of batches.list({ limit: 2 })) found.push(id)
    expect(found).toEqual(ids)
    const before = await batches.list({ limit: 2, before_id: ids[3] ?? '' })
    expect(before.data.map(({ id }) => id)).toEqual(ids.slice(1, 3))
    await expect(batches.list({ after_id: 'nobody' })).rejects.toMatchObject({ status: 400 })
    const [id = ''] = ids
    await expect(batches.delete(id)).rejects.toMatchObject({ status: 400 })
    expect((await batches.cancel(id)).processing_status).toBe('canceling')
    expect((await ended(id)).request_counts).toMatchObject({ canceled: 2, succeeded: 2 })
    await expect(batches.cancel(id)).rejects.toMatchObject({ status: 400 })
    await batches.delete(id)
    await expect(batches.retrieve(id)).rejects.toMatchObject({ status: 404 })
  })

  it('are refused while the requests of all batches exceed the queue, until a batch ends', async () => {
    const { batches, ended } = await setting({ batches: { durationMs: 100, maxQueuedRequests: 5 } })
    const first = await batches.create({ requests: named(3) })
    const refusal = await batches.create({ requests: named(3) }).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ status: 429, type: 'rate_limit_error' })
    expect((refusal as InstanceType<typeof Anthropic.APIError>).headers?.get('retry-after')).toBe('1')
    await batches.create({ requests: named(2) })
    await ended(first.id)
    await expect(batches.create({ requests: named(3) })).resolves.toMatchObject({ type: 'message_batch' })
    await expect(batches.create({ requests: named(6) })).rejects.toMatchObject({ status: 429 })
  })

  it('fail as configured', async () => {
    const troubles = [{ status: 529 }, { lost: 'after' }, { lost: 'before' }] as const
    let call = 0
    const { batches, simulator } = await setting({
      batches: { durationMs: 1, chooseFault: () => troubles[call++] },
    })
    await expect(batches.create({ requests: named(2) })).rejects.toMatchObject({ status: 529 })
    await expect(batches.create({ requests: named(2) })).rejects.toThrow()
    await expect(batches.create({ requests: named(2) })).rejects.toThrow()
    expect(simulator.stats().batches).toMatchObject({ created: 1, calls: { create: 3 } })
  })
})

describe('the body of a batch', () => {
  it('is split into requests for any chunk boundaries', async () => {
    const space = fc.constantFrom('', ' ', '\n', '\t ')
    const request = fc.record({ custom_id: fc.string(), params: fc.jsonValue({ maxDepth: 3 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(request),
        space,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (requests, gap, sizes) => {
          const list = requests.map((it) => JSON.stringify(it, null, gap.length)).join(`${gap},${gap}`)
          const bytes = Buffer.from(`${gap}{${gap}"requests"${gap}:${gap}[${gap}${list}${gap}]${gap}}${gap}`)
          async function* pieces() {
            for (let at = 0, n = 0; at < bytes.length; n++) {
              const size = sizes[n % sizes.length] ?? 1
              yield bytes.subarray(at, at + size)
              at += size
            }
          }
          const found: unknown[] = []
          for await (const element of splitRequests(pieces())) found.push(JSON.parse(element.toString()))
          expect(found).toEqual(JSON.parse(JSON.stringify(requests)))
        },
      ),
    )
  })

  it('is refused if it ends too early or has trailing data', async () => {
    const whole = '{"requests":[{"custom_id":"a","params":{"a":["}]"]}}]}'
    const read = async (text: string) => {
      async function* piece() {
        yield Buffer.from(text)
      }
      for await (const _ of splitRequests(piece())) {
        // Only the end of the body matters.
      }
    }
    await expect(read(whole)).resolves.toBeUndefined()
    for (let end = 0; end < whole.length; end++)
      await expect(read(whole.slice(0, end))).rejects.toThrow(BodyError)
    await expect(read(`${whole}]`)).rejects.toThrow(BodyError)
  })
})
