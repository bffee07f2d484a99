import { AnthropicAws } from '@anthropic-ai/aws-sdk'
import { AnthropicBedrock } from '@anthropic-ai/bedrock-sdk'
import { describe, expect, it } from 'vitest'
import {
  type Client,
  type ClientOptions,
  createClient,
  definePrompt,
  estimate,
  memoryStore,
  type Outcome,
  type Store,
  summarizeAll,
} from '../../src/index.ts'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { checkInterrupted, collect, countSent, days, quick } from '../support/interrupted-batches.ts'
import { answerWith, createLibraryClient, getRejection } from '../support/library-client.ts'
import { awsKeys, region, startPlatform } from '../support/platform-server.ts'

const values = (store: Store) => store as Map<string, string>
const prompt = definePrompt({ user: 'Summarize.\n\n{text}' })
const texts = days

async function createBatchClient(service?: SimulatorOptions, options?: ClientOptions) {
  const store = memoryStore()
  const { client, simulator } = await createLibraryClient(quick(service), options)
  const call = (input: Iterable<string | { id: string; text: string }> = texts, wait = false) =>
    collect(summarizeAll(input, { client, store, prompt, mode: 'batch', wait }))
  return { client, simulator, store, call }
}

const withStatus = (outcomes: readonly Outcome[], status: Outcome['status']) =>
  outcomes.filter((outcome) => outcome.status === status)

describe("mode: 'batch'", () => {
  it('costs half, after one live request that checks the settings', async () => {
    const { simulator, store, call, client } = await createBatchClient()
    const live = await collect(summarizeAll(texts, { client, prompt }))
    const outcomes = await call(texts, true)
    expect(outcomes.map((outcome) => 'text' in outcome && outcome.text)).toEqual(
      texts.map((_, n) => `Summary of day ${n}.`),
    )
    for (const [n, outcome] of outcomes.entries())
      expect(outcome).toMatchObject({
        index: n,
        id: `text-${n + 1}`,
        status: 'summarized',
        model: 'claude-haiku-5-5',
        attempts: 1,
        reused: false,
        costUsd: Number(((live[n]?.costUsd ?? 0) / (n === 0 ? 1 : 2)).toFixed(12)),
      })
    expect(simulator.stats().batches).toMatchObject({ created: 1, requests: 7 })
    expect([...values(store).keys()].filter((key) => key.startsWith('batch/'))).toEqual([])
    const again = await call(texts, true)
    expect(again.every((outcome) => 'reused' in outcome && outcome.reused && outcome.costUsd === 0)).toBe(
      true,
    )
    expect(countSent(simulator)).toBe(texts.length * 2)
    // The settings are known to work, so that no other live request is needed.
    await call(['The log of day 20.', 'The log of day 21.'], true)
    expect(simulator.stats().batches).toMatchObject({ created: 2, requests: 9 })
    expect(countSent(simulator)).toBe(texts.length * 2 + 2)
  })

  it('leaves texts in a batch, which a later call collects, in another process too', async () => {
    const { simulator, store, call, client } = await createBatchClient()
    const first = await call()
    expect(withStatus(first, 'summarized').length).toBe(1)
    expect(withStatus(first, 'pending').map((outcome) => 'reason' in outcome && outcome.reason)).toEqual(
      Array(7).fill(expect.stringMatching(/^it is in the batch msgbatch_sim\w+$/)),
    )
    const kept: Store = new Map(values(store))
    const second = await collect(
      summarizeAll(texts, { client, store: kept, prompt, mode: 'batch', wait: false }),
    )
    expect(second.filter(({ attempts }) => attempts === 1).length).toBe(7)
    expect(second.every(({ status }) => status === 'summarized')).toBe(true)
    expect(simulator.stats().batches).toMatchObject({ created: 1, requests: 7 })
  })

  it('collects for texts by what they are, and not by their ids', async () => {
    const { simulator, call } = await createBatchClient()
    await call(['The log of day 1.', 'The log of day 2.', 'The log of day 3.'])
    const outcomes = await call([
      { id: 'text-2', text: 'The log of day 9.' },
      { id: 'third', text: 'The log of day 3.' },
      'The log of day 1.',
    ])
    expect(outcomes).toMatchObject([
      { id: 'text-2', status: 'pending' },
      { id: 'third', status: 'summarized', text: 'Summary of day 3.' },
      { id: 'text-3', status: 'summarized', text: 'Summary of day 1.', reused: true },
    ])
    // The result of the text that this call did not have is in the store.
    expect(await call(['The log of day 2.'])).toMatchObject([{ text: 'Summary of day 2.', reused: true }])
    expect(countSent(simulator)).toBe(4)
  })

  it('sends equal texts once, and gives each its outcome', async () => {
    const { simulator, call } = await createBatchClient()
    const input = ['The log of day 0.', 'The log of day 1.', 'The log of day 1.', '', 'The log of day 0.']
    await call(input)
    const outcomes = await call(input)
    expect(outcomes).toMatchObject([
      { text: 'Summary of day 0.', reused: true },
      { text: 'Summary of day 1.', attempts: 1, reused: false },
      { text: 'Summary of day 1.', attempts: 0, costUsd: 0, reused: true, model: 'claude-haiku-5-5' },
      { status: 'failed', error: { type: 'empty_text' }, reused: false },
      { text: 'Summary of day 0.', reused: true },
    ])
    expect(simulator.stats().batches).toMatchObject({ created: 1, requests: 1 })
  })

  it('fails only the texts whose answers cannot be used', async () => {
    const schema = {
      type: 'object',
      additionalProperties: false,
      required: ['day'],
      properties: { day: { type: 'number' } },
    } as const
    const { client, simulator } = await createLibraryClient(
      quick({
        script: ({ request }) => {
          const day = Number(/day (\d+)/.exec(request.lastText)?.[1])
          if (day === 3) return { kind: 'answer', delayMs: 0, text: 'I cannot', stopReason: 'refusal' }
          if (day === 4) return { kind: 'status', status: 400, message: 'no' }
          return answerWith(day === 2 ? '{"day":"two"}' : `{"day":${day}}`)
        },
      }),
    )
    const store = memoryStore()
    const options = {
      client,
      store,
      mode: 'batch',
      prompt: definePrompt({ user: '{text}', schema }),
    } as const
    const outcomes = await collect(summarizeAll(texts.slice(0, 6), options))
    expect(outcomes).toMatchObject([
      { data: { day: 0 } },
      { data: { day: 1 } },
      { status: 'failed', error: { type: 'schema' }, partial: '{"day":"two"}', attempts: 1 },
      { status: 'failed', error: { type: 'refusal' }, attempts: 1 },
      { status: 'failed', error: { type: 'invalid_request_error' } },
      { data: { day: 5 } },
    ])
    const { billed } = simulator.stats()
    const again = await collect(summarizeAll(texts.slice(0, 6), options))
    expect(again.map(({ status }) => status)).toEqual(outcomes.map(({ status }) => status))
    expect(again[1]).toMatchObject({ data: { day: 1 }, reused: true })
    expect(again[2]).toMatchObject({ error: { type: 'schema' }, partial: '{"day":"two"}', reused: true })
    expect(simulator.stats().billed).toEqual(billed)
  })

  it('fails a text that the API does not accept in a batch, and does not call that reused', async () => {
    let creations = 0
    const { call, simulator } = await createBatchClient({
      batches: {
        chooseFault: (name) =>
          name === 'create' && creations++ === 0
            ? { status: 400, message: 'requests.2.params: Input is invalid' }
            : undefined,
      },
    })
    const outcomes = await call()
    const [failed, ...others] = withStatus(outcomes, 'failed')
    expect(failed).toMatchObject({ index: 3, error: { type: 'invalid_request_error' }, reused: false })
    expect(others).toEqual([])
    expect(simulator.stats().batches).toMatchObject({ requests: 6 })
  })

  it('pays for each text once, wherever the program ends', async () => {
    await Promise.all(Array.from({ length: 16 }, (_, endsAt) => checkInterrupted({ endsAt, faults: [] })))
  })

  it('keeps to maxCostUsd with the worst case of what is in batches, at half the price', async () => {
    const { client, simulator, store } = await createBatchClient({}, { maxCostUsd: 0.0011, maxTokens: 1000 })
    const options = { client, store, prompt, mode: 'batch' } as const
    const detached = summarizeAll(texts, { ...options, wait: false })
    expect(await getRejection(collect(detached))).toMatchObject({ type: 'budget_exceeded' })
    const { requests } = simulator.stats().batches
    expect(requests).toBeGreaterThan(2)
    expect(requests).toBeLessThan(6)
    // A call that waits collects, which releases what was not spent.
    const outcomes = await collect(summarizeAll(texts, options))
    expect(outcomes.every(({ status }) => status === 'summarized')).toBe(true)
    const { remainingUsd, costUsd, attempts } = client.getTotals()
    expect(attempts).toBe(texts.length)
    expect(remainingUsd).toBeCloseTo(0.0011 - (costUsd ?? 0), 12)
  })

  it('has an estimate at half the price, without what is in batches', async () => {
    const { client, store, call } = await createBatchClient()
    const live = await estimate(texts, { client, store, prompt })
    const batch = await estimate(texts, { client, store, prompt, mode: 'batch' })
    expect(batch.costUsd?.high).toBeCloseTo((live.costUsd?.high ?? 0) / 2, 12)
    expect(batch.inputTokens).toEqual(live.inputTokens)
    await call(texts.slice(0, 4))
    expect(await estimate(texts, { client, store, prompt, mode: 'batch' })).toMatchObject({ texts: 4 })
  })

  it('stops waiting when its signal aborts; the batch stays in the store', async () => {
    const { client, simulator, store } = await createBatchClient({ batches: { durationMs: 60_000 } })
    const stop = new AbortController()
    const seen: Outcome[] = []
    const loop = async () => {
      const options = { client, store, prompt, mode: 'batch', signal: stop.signal } as const
      const outcomes = summarizeAll(texts, {
        ...options,
        onProgress: ({ summarized }) => summarized === 1 && queueMicrotask(() => void waitForBatch()),
      })
      for await (const outcome of outcomes) seen.push(outcome)
    }
    const waitForBatch = async () => {
      while (![...values(store).values()].some((value) => value.includes('msgbatch_')))
        await new Promise((resolve) => setImmediate(resolve))
      stop.abort(new Error('enough'))
    }
    expect(await getRejection(loop())).toEqual(new Error('enough'))
    expect(withStatus(seen, 'pending').length).toBe(7)
    expect(simulator.stats().batches).toMatchObject({ created: 1 })
    expect([...values(store).keys()]).toContain('batches')
  })

  it('yields all texts as pending if the iterable of texts throws', async () => {
    const { client, simulator, store } = await createBatchClient()
    const seen: Outcome[] = []
    const loop = async () => {
      const broken = (function* () {
        yield* texts
        throw new Error('no more rows')
      })()
      for await (const outcome of summarizeAll(broken, { client, store, prompt, mode: 'batch' }))
        seen.push(outcome)
    }
    expect(await getRejection(loop())).toEqual(new Error('no more rows'))
    expect(withStatus(seen, 'pending').length).toBe(texts.length)
    expect(simulator.stats().requests).toBe(0)
  })

  it('names options of the library in errors, and requests instead of documents', async () => {
    const refusing = await createBatchClient({ batches: { chooseFault: () => ({ status: 404 }) } })
    expect(await getRejection(refusing.call())).toMatchObject({
      type: 'not_found_error',
      message: expect.stringMatching(/; check ANTHROPIC_BASE_URL, or use mode: 'live'$/),
    })
    const failing = await createBatchClient({ script: () => ({ kind: 'status', status: 400 }) })
    expect(await getRejection(failing.call())).toMatchObject({
      type: 'batch',
      message: 'none of the first 5 requests was answered live, so no batch was created for the rest',
    })
  })

  it('takes no text if the store or the service cannot be used', async () => {
    const down = new Error('the database is down')
    const { client } = await createBatchClient()
    const broken: Store = { get: () => Promise.reject(down), set() {}, delete() {} }
    const bedrock = createClient({
      client: new AnthropicBedrock({ awsRegion: 'eu-central-1', awsAccessKey: 'a', awsSecretKey: 'b' }),
      model: 'eu.anthropic.claude-haiku-5-5',
    })
    let taken = 0
    const rows = function* () {
      for (const text of texts) {
        taken++
        yield text
      }
    }
    const call = (client: Client, store: Store) =>
      getRejection(collect(summarizeAll(rows(), { client, store, prompt, mode: 'batch' })))
    expect(await call(client, broken)).toBe(down)
    expect(await call(bedrock, memoryStore())).toMatchObject({ type: 'configuration' })
    expect(taken).toBe(0)
    await bedrock.close()
  })

  it('has an outcome for every text that was taken before its client was closed', async () => {
    const { client, store, simulator } = await createBatchClient()
    const seen: Outcome[] = []
    const loop = async () => {
      const rows = (async function* () {
        yield* texts
        await client.close()
        yield 'One more.'
      })()
      for await (const outcome of summarizeAll(rows, { client, store, prompt, mode: 'batch' }))
        seen.push(outcome)
    }
    expect(await getRejection(loop())).toMatchObject({ type: 'closed' })
    expect(withStatus(seen, 'pending').length).toBe(texts.length)
    expect(simulator.stats().requests).toBe(0)
  })

  it('refuses a second call with the same store at the same time', async () => {
    const { call } = await createBatchClient()
    const [first, second] = await Promise.allSettled([call(), call()])
    expect(first.status).toBe('fulfilled')
    expect(second).toMatchObject({
      reason: { type: 'batch', message: expect.stringContaining('another call uses this store') },
    })
    expect((await call()).length).toBe(texts.length)
  })

  it('refuses a store whose batches it cannot read, and pays for nothing', async () => {
    const { simulator, store, call } = await createBatchClient()
    await call()
    const key = [...values(store).keys()].find((key) => key.startsWith('batch/')) ?? ''
    const value = values(store).get(key) ?? ''
    const { requests } = simulator.stats()
    for (const [damaged, message] of [
      [value.replace('"document"', '"x"'), /the value of batch\/[0-9a-f]{16} in the store is damaged/],
      [value.replace(/"format_version":\d+/, '"format_version":99'), /another version of claude-batch/],
      ['', /damaged/],
    ] as const) {
      values(store).set(key, damaged)
      expect(await getRejection(call())).toMatchObject({
        type: 'store',
        message: expect.stringMatching(message),
      })
    }
    values(store).set('batches', '["../x"]')
    expect(await getRejection(call())).toMatchObject({ type: 'store' })
    expect(simulator.stats().requests).toBe(requests)
    // The user may give up a batch.
    values(store).set('batches', '["0123456789abcdef"]')
    expect((await call()).some(({ status }) => status === 'pending')).toBe(true)
  })

  it('works with AnthropicAws, whose signature covers the whole body', async () => {
    const { env, simulator, requests } = await startPlatform('aws', quick())
    const client = createClient({
      client: new AnthropicAws({
        baseURL: env['ANTHROPIC_AWS_BASE_URL'] ?? null,
        awsRegion: region,
        awsAccessKey: awsKeys.accessKeyId,
        awsSecretAccessKey: awsKeys.secretAccessKey,
        workspaceId: env['ANTHROPIC_AWS_WORKSPACE_ID'] ?? '',
      }),
    })
    const call = () =>
      collect(summarizeAll(texts, { client, prompt, store, mode: 'batch', wait: false, model: 'haiku' }))
    const store = memoryStore()
    expect(withStatus(await call(), 'pending').length).toBe(7)
    expect(withStatus(await call(), 'summarized').length).toBe(8)
    expect(simulator.stats().batches).toMatchObject({ created: 1, requests: 7 })
    expect(requests.some(({ url }) => url === '/v1/messages/batches')).toBe(true)
    await client.close()
  })

  it('needs a service with batches, and a store', async () => {
    const client = createClient({
      client: new AnthropicBedrock({ awsRegion: 'eu-central-1', awsAccessKey: 'a', awsSecretKey: 'b' }),
      model: 'eu.anthropic.claude-haiku-5-5',
    })
    const options = { client, prompt, mode: 'batch' } as const
    expect(() => summarizeAll(texts, options)).toThrow(/^summarizeAll: a batch needs a store/)
    expect(
      await getRejection(collect(summarizeAll(texts, { ...options, store: memoryStore() }))),
    ).toMatchObject({
      type: 'configuration',
      message: expect.stringContaining('no Message Batches'),
    })
    expect(() => summarizeAll(texts, { client, prompt, wait: false })).toThrow(TypeError)
    await client.close()
  })
})
