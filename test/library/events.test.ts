import { describe, expect, it, vi } from 'vitest'
import {
  definePrompt,
  estimate,
  type Pause,
  type Progress,
  type Retry,
  summarizeAll,
} from '../../src/index.ts'
import {
  answerWith,
  collectItems,
  createLibraryClient,
  getRejection,
  overloaded,
} from '../support/library-client.ts'
import { longWait } from '../support/long-wait.ts'

const soon = { 'retry-after-ms': '1' }

describe('onRetry', () => {
  it('is called for each attempt that will be sent again', async () => {
    const retries: Retry[] = []
    const { client } = await createLibraryClient(
      {
        script: ({ request, index }) =>
          request.text.includes('wrong')
            ? { kind: 'status', status: 400 }
            : index < 2
              ? { kind: 'status', status: 500, headers: soon }
              : answerWith('At last.'),
      },
      { onRetry: (retry) => retries.push(retry) },
    )
    await collectItems(summarizeAll([{ id: 'a.md', text: 'Are you there?' }], { client, model: 'sonnet' }))
    await getRejection(client.complete('wrong'))
    const common = {
      id: 'a.md',
      model: 'claude-sonnet-5-5',
      error: {
        status: 500,
        type: 'api_error',
        message: expect.any(String),
        transient: true,
        requestId: expect.stringMatching(/^req_/),
      },
      waitMs: expect.any(Number),
    }
    expect(retries).toEqual([
      { ...common, attempt: 1 },
      { ...common, attempt: 2 },
    ])
  })

  it('is not called for the last attempt', async () => {
    const onRetry = vi.fn()
    const { client } = await createLibraryClient(
      { script: () => ({ ...overloaded, headers: soon }) },
      { retries: 1, onRetry },
    )
    expect(await getRejection(client.complete('Are you there?'))).toMatchObject({ attempts: 2 })
    expect(onRetry).toHaveBeenCalledOnce()
    expect(onRetry.mock.calls[0]?.[0]).toMatchObject({ id: 'prompt', attempt: 1, error: { status: 529 } })
  })
})

describe('onPause', () => {
  it('is called once for a pause of all requests to a model', async () => {
    const pauses: Pause[] = []
    const { client } = await createLibraryClient(
      {
        script: ({ index }) =>
          index < 4
            ? { kind: 'status', status: 429, headers: { 'retry-after-ms': '20' }, delayMs: 20 }
            : answerWith('Now.'),
      },
      { onPause: (pause) => pauses.push(pause) },
    )
    await Promise.all(Array.from({ length: 4 }, (_, n) => client.complete(`${n}?`)))
    expect(pauses.length).toBeGreaterThan(0)
    expect(pauses.length).toBeLessThan(4)
    for (const { model, waitMs, reason } of pauses) {
      expect(model).toBe('claude-haiku-5-5')
      expect(waitMs).toBeGreaterThanOrEqual(20)
      expect(reason).toMatch(/429/)
    }
  })
})

describe('onProgress and getTotals', () => {
  it('report the outcomes so far, their cost, and what is left of the cap', async () => {
    const { client } = await createLibraryClient(
      {
        script: ({ request }) =>
          request.text.includes('wrong') ? { kind: 'status', status: 400 } : answerWith('Done.'),
      },
      { maxCostUsd: 1 },
    )
    expect(client.getTotals()).toEqual({
      attempts: 0,
      usage: expect.objectContaining({ inputTokens: 0, outputTokens: 0 }),
      costUsd: 0,
      lostReplies: 0,
      remainingUsd: 1,
    })
    const before = await client.complete('One?')
    const seen: Progress[] = []
    const texts = ['one', 'wrong', 'two', '']
    const onProgress = (progress: Progress) => seen.push(progress)
    const outcomes = await collectItems(summarizeAll(texts, { client, onProgress }))
    expect(seen.map(({ summarized, failed, pending }) => summarized + failed + pending)).toEqual([1, 2, 3, 4])
    const last = seen.at(-1)
    expect(last).toMatchObject({ summarized: 2, failed: 2, pending: 0, attempts: 3, lostReplies: 0 })
    const sum = outcomes.reduce((sum, { costUsd }) => sum + (costUsd ?? Number.NaN), 0)
    expect(last?.costUsd).toBeCloseTo(sum, 12)
    const output = outcomes.reduce((sum, { usage }) => sum + (usage?.outputTokens ?? Number.NaN), 0)
    expect(last?.usage?.outputTokens).toBe(output)
    const totals = client.getTotals()
    expect(totals).toMatchObject({ attempts: 4, costUsd: expect.closeTo(sum + (before.costUsd ?? 0), 12) })
    expect(totals.remainingUsd).toBeCloseTo(1 - sum - (before.costUsd ?? 0), 12)
    expect(last?.remainingUsd).toBe(totals.remainingUsd)
  })

  it('count what a stopped run has not finished', async () => {
    const stop = new AbortController()
    const { client, simulator } = await createLibraryClient({
      script: () => ({ kind: 'stall', afterHeaders: false }),
    })
    const seen: Progress[] = []
    const onProgress = (progress: Progress) => seen.push(progress)
    const run = collectItems(summarizeAll(['a', 'b'], { client, signal: stop.signal, onProgress }))
    const ended = getRejection(run)
    await vi.waitUntil(() => simulator.stats().inFlight === 2, longWait)
    expect(client.getTotals()).toMatchObject({ attempts: 0 })
    stop.abort('enough')
    expect(await ended).toBe('enough')
    expect(seen.at(-1)).toMatchObject({ summarized: 0, failed: 0, pending: 2, remainingUsd: null })
    expect(client.getTotals()).toMatchObject({ attempts: 2, lostReplies: 2 })
  })

  it('have no cost once the cost of one reply is unknown', async () => {
    const { client } = await createLibraryClient({
      script: ({ index }) => ({ ...answerWith('Done.'), ...(index === 0 && { usage: null }) }),
    })
    await client.complete('One?')
    await client.complete('Two?')
    expect(client.getTotals()).toMatchObject({
      attempts: 2,
      costUsd: null,
      usage: null,
    })
  })
})

it.each([
  [
    'throws',
    () => {
      throw new Error('a bug')
    },
  ],
  ['rejects', () => Promise.reject(new Error('a bug'))],
])('a listener that %s does not change the run, and is reported once', async (_, listener) => {
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  const { client } = await createLibraryClient(
    {
      script: ({ index }) =>
        index < 2 ? { kind: 'status', status: 429, headers: soon } : answerWith('Done.'),
    },
    { onRetry: listener, onPause: listener },
  )
  const texts = ['one', 'two', 'three']
  const outcomes = await collectItems(summarizeAll(texts, { client, onProgress: listener }))
  expect(outcomes.map(({ status }) => status)).toEqual(Array(3).fill('summarized'))
  await vi.waitUntil(() => warnings.length === 3, longWait)
  process.off('warning', listen)
  expect(warnings.map(({ name, message }) => `${name} ${message}`).sort()).toEqual(
    ['onPause', 'onProgress', 'onRetry'].map((name) => `ClaudeBatchWarning ${name} threw an error: a bug`),
  )
})

describe('estimate', () => {
  const texts = ['The tide is high. '.repeat(200), 'The tide is low.', '', 3 as unknown as string]

  it('returns a range that contains what summarizeAll then costs, and sends nothing', async () => {
    const { client, simulator } = await createLibraryClient()
    const prompt = definePrompt({ user: 'Summarize {text}', maxTokens: 300 })
    const guess = await estimate(texts, { client, prompt })
    expect(simulator.stats().requests).toBe(0)
    let last: Progress | undefined
    await collectItems(
      summarizeAll(texts, {
        client,
        prompt,
        onProgress: (progress) => {
          last = progress
        },
      }),
    )
    const { inputTokens = 0, outputTokens = 0 } = last?.usage ?? {}
    expect(guess.texts).toBe(2)
    expect(guess.inputTokens.low).toBeLessThanOrEqual(inputTokens)
    expect(guess.inputTokens.high).toBeGreaterThanOrEqual(inputTokens)
    expect(guess.outputTokens.high).toBe(600)
    expect(guess.outputTokens.high).toBeGreaterThanOrEqual(outputTokens)
    expect(guess.costUsd?.low).toBeLessThanOrEqual(last?.costUsd ?? 0)
    expect(guess.costUsd?.high).toBeGreaterThanOrEqual(last?.costUsd ?? Number.NaN)
    expect(guess.costUsd?.expected).toBeCloseTo(
      (guess.inputTokens.expected * 0.1 + guess.outputTokens.expected * 0.5) / 1e6,
      12,
    )
  })

  it('knows no cost of a model without a price, and uses a price of the client', async () => {
    const { client } = await createLibraryClient({}, { prices: { mine: { input: 1000, output: 0 } } })
    expect((await estimate(texts, { client, model: 'other' })).costUsd).toBeNull()
    const guess = await estimate(texts, { client, model: 'mine' })
    expect(guess.costUsd?.expected).toBeCloseTo(guess.inputTokens.expected / 1000, 9)
  })

  it('rejects with the error of the source, and with the reason of the signal', async () => {
    const { client } = await createLibraryClient()
    function* broken() {
      yield 'a'
      throw new Error('the source broke')
    }
    expect(await getRejection(estimate(broken(), { client }))).toEqual(new Error('the source broke'))
    const signal = AbortSignal.abort('enough')
    expect(await getRejection(estimate(['a'], { client, signal }))).toBe('enough')
    expect(await getRejection(estimate('a' as never, { client }))).toEqual(
      new TypeError('estimate: texts must be an iterable or async iterable of texts'),
    )
  })
})
