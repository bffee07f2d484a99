import { describe, expect, it } from 'vitest'
import { AskError } from '../../src/core/errors/ask-error.ts'
import { classifyError, isRetryable } from '../../src/core/errors/classify-error.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'
import { end, formatEvent, start, textDelta } from '../support/stream-events.ts'

const never = new AbortController().signal
const plain = createRequest('a.md')
const streamed = createRequest('a.md', { maxTokens: 8192 })

const faultOf = async (
  behaviour: Behaviour,
  request = plain,
  idleTimeoutMs = 2000,
  totalTimeoutMs = 5000,
) => {
  const { client } = await createSimulatedClient(
    { script: () => behaviour },
    { idleTimeoutMs, totalTimeoutMs },
  )
  const error = await client.ask(request, never).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(AskError)
  return (error as AskError).requestError
}

describe('the client', () => {
  it('reuses its connections for the whole run', async () => {
    const { client, simulator } = await createSimulatedClient({})
    for (let n = 0; n < 20; n++) await client.ask(plain, never)
    // The second request may come before the first one's socket is handed back; no later one opens another.
    expect(simulator.stats().requests).toBe(20)
    expect(simulator.stats().connections).toBeLessThanOrEqual(2)
  })

  it('hands up the limits that the headers tell', async () => {
    const { client } = await createSimulatedClient({ limits: { rpm: 77, itpm: 300_000, otpm: 60_000 } })
    const { limits } = await client.ask(plain, never)
    expect(limits).toEqual({
      requests: { limit: 77, remaining: 76 },
      inputTokens: { limit: 300_000, remaining: 300_000 },
      outputTokens: { limit: 60_000, remaining: 60_000 },
    })
  })

  it('does without limits where a proxy strips them', async () => {
    const { client } = await createSimulatedClient({ rateLimitHeaders: false })
    expect((await client.ask(plain, never)).limits).toBeUndefined()
  })

  it('knows when the first text of a stream came', async () => {
    const { client } = await createSimulatedClient({
      script: () => ({ kind: 'answer', delayMs: 60, text: 'one two three four' }),
    })
    const { firstTokenMs } = await client.ask(streamed, never)
    expect(firstTokenMs).toBeGreaterThan(0)
  })

  it('hands on the text as it is written, in whole characters', async () => {
    const body = [
      start,
      ...['One', '', ' \ud83d', '\ude00 two', '\ud83d', ' three', '\ud83d'].map(textDelta),
      end,
    ].join('')
    const headers = { 'content-type': 'text/event-stream' }
    const { client } = await createSimulatedClient({
      script: () => ({ kind: 'raw', status: 200, headers, body }),
    })
    const pieces: string[] = []
    const { text } = await client.ask(plain, never, (piece) => pieces.push(piece))
    expect(pieces).toEqual(['One', ' ', '😀 two', '\ufffd three', '\ufffd'])
    expect(text).toBe(pieces.join(''))
  })

  it.each<[string, Behaviour]>([
    [
      'a page of a captive portal',
      { kind: 'raw', status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Sign in</h1>' },
    ],
    ['a 204', { kind: 'raw', status: 204, headers: {}, body: '' }],
    [
      'an empty list',
      { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: '[]' },
    ],
    ['null', { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: 'null' }],
    [
      'an error in the shape of a 200',
      { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: '{"type":"error"}' },
    ],
    [
      'JSON that is cut off',
      { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: '{"type":"mess' },
    ],
  ])('does not take %s for a message', async (_name, behaviour) => {
    for (const request of [plain, streamed]) {
      const fault = await faultOf(behaviour, request)
      expect(fault.kind).toBe('malformed')
      expect(classifyError(fault)).toBe('transient')
    }
  })

  it.each<[string, Behaviour]>([
    ['a reset before the answer', { kind: 'reset', inBody: false, delayMs: 1 }],
    ['a reset in the answer', { kind: 'reset', inBody: true, delayMs: 1 }],
    ['an answer that ends too early', { kind: 'truncate', delayMs: 1 }],
    ['an error event in a stream', { kind: 'mid-stream-error', type: 'overloaded_error', delayMs: 1 }],
  ])('takes %s for something a retry can cure', async (_name, behaviour) => {
    for (const request of [plain, streamed]) {
      expect(classifyError(await faultOf(behaviour, request))).toBe('transient')
    }
  })

  it('ends the wait for a service that falls silent, before the headers or after', async () => {
    for (const request of [plain, streamed]) {
      for (const afterHeaders of [true, false]) {
        expect((await faultOf({ kind: 'stall', afterHeaders }, request, 100)).kind).toBe('timeout')
      }
    }
  })

  it('ends an answer that goes on for ever, though it shows signs of life', async () => {
    const words = 'word '.repeat(50)
    const fault = await faultOf({ kind: 'answer', delayMs: 20_000, text: words }, streamed, 5000, 300)
    expect(fault).toMatchObject({ kind: 'timeout', message: 'no complete answer within 0.3 s' })
    // It would take as long again, and be billed again.
    expect([classifyError(fault), isRetryable(fault)]).toEqual(['transient', false])
  })

  it('asks for streams once a plain answer was slower than the idle timeout', async () => {
    const streamed: boolean[] = []
    const { client } = await createSimulatedClient(
      {
        script({ request: { stream } }) {
          streamed.push(stream)
          return stream ? { kind: 'answer', delayMs: 1 } : { kind: 'stall', afterHeaders: false }
        },
      },
      { idleTimeoutMs: 300 },
    )
    const slow = await client.ask(plain, never).catch((error: unknown) => error)
    expect(slow).toMatchObject({
      requestError: {
        kind: 'timeout',
        type: 'timeout',
        message: 'nothing came for 0.3 s; if answers take longer, raise --idle-timeout',
      },
    })
    for (let n = 0; n < 3; n++) expect((await client.ask(plain, never)).text).toMatch(/^\[simulated\]/)
    expect(streamed).toEqual([false, true, true, true])
  })

  it('goes on asking for plain answers where there was no connection, or another error', async () => {
    const streamed: boolean[] = []
    const errors = [500, 429, 529, 504]
    const { client } = await createSimulatedClient({
      script({ request: { stream }, index }) {
        streamed.push(stream)
        const status = errors[index]
        return status === undefined ? { kind: 'answer', delayMs: 1 } : { kind: 'status', status }
      },
    })
    for (const _ of errors) await client.ask(plain, never).catch(() => {})
    await client.ask(plain, never)
    expect(streamed).toEqual([false, false, false, false, false])
  })

  it('follows no redirect, and names where it led', async () => {
    const elsewhere = await createSimulatedClient({})
    const location = 'http://evil.example/v1/messages'
    const fault = await faultOf({ kind: 'raw', status: 307, headers: { location }, body: '' })
    expect(fault.message).toContain(location)
    expect(classifyError(fault)).toBe('account')
    expect(elsewhere.simulator.stats().requests).toBe(0)
  })

  it('shows a proxy’s error page without its markup', async () => {
    const body = `<html><style>x{}</style><h1>502 Bad Gateway</h1>${'nginx '.repeat(1000)}`
    const fault = await faultOf({
      kind: 'status',
      status: 502,
      headers: { 'content-type': 'text/html' },
      body,
    })
    expect(fault.message).toMatch(/^502 Bad Gateway nginx/)
    expect(fault.message.length).toBeLessThanOrEqual(200)
  })

  it('stops the request upstream when it is aborted', async () => {
    const { client, simulator } = await createSimulatedClient({
      script: () => ({ kind: 'stall', afterHeaders: false }),
    })
    const abort = new AbortController()
    const reason = new Error('second Ctrl-C')
    const asking = client.ask(plain, abort.signal)
    const watch = setInterval(() => {
      if (simulator.stats().inFlight === 1) abort.abort(reason)
    }, 5)
    await expect(asking).rejects.toBe(reason)
    clearInterval(watch)
    await expect.poll(() => simulator.stats().aborted).toBe(1)
  })

  it('reads usage that is missing or nonsense as unknown', async () => {
    for (const usage of [
      null,
      {},
      { input_tokens: -1, output_tokens: 2 },
      { input_tokens: '5', output_tokens: 2 },
    ]) {
      const { client } = await createSimulatedClient({
        script: () => ({ kind: 'answer', delayMs: 1, text: 'x', usage }),
      })
      expect((await client.ask(plain, never)).usage).toBeUndefined()
    }
  })

  it('reads the usage of a stream as unknown that only its start tells, before there is any output', async () => {
    const uncounted =
      formatEvent({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: null }) +
      formatEvent({ type: 'message_stop' })
    for (const [last, usage] of [
      [uncounted, undefined],
      [end, expect.objectContaining({ input_tokens: 9, output_tokens: 2 })],
    ]) {
      const headers = { 'content-type': 'text/event-stream' }
      const body = start + textDelta('One.') + last
      const { client } = await createSimulatedClient({
        script: () => ({ kind: 'raw', status: 200, headers, body }),
      })
      expect((await client.ask(streamed, never)).usage).toEqual(usage)
    }
  })

  it.each([
    ['without a stop reason', formatEvent({ type: 'message_stop' })],
    [
      'with null for a stop reason',
      formatEvent({ type: 'message_delta', delta: { stop_reason: null }, usage: { output_tokens: 2 } }) +
        formatEvent({ type: 'message_stop' }),
    ],
    ['without message_stop', end.slice(0, end.indexOf('event: message_stop'))],
    ['with nothing', ''],
  ])('takes a stream that ends %s for one that broke off', async (_, last) => {
    const headers = { 'content-type': 'text/event-stream' }
    const body = start + textDelta('A whole sentence.') + last
    const { client } = await createSimulatedClient({
      script: () => ({ kind: 'raw', status: 200, headers, body }),
    })
    await expect(client.ask(streamed, never)).rejects.toMatchObject({
      requestError: { kind: 'malformed', type: 'stream_ended_early' },
    })
  })

  it('joins text blocks and passes over all others', async () => {
    const content = [
      { type: 'thinking', thinking: '', signature: 'x' },
      { type: 'text', text: 'one ' },
      { type: 'made_up_tomorrow', value: 1 },
      { type: 'text', text: 'two' },
    ]
    const { client } = await createSimulatedClient({
      script: () => ({ kind: 'answer', delayMs: 1, content }),
    })
    expect((await client.ask(plain, never)).text).toBe('one two')
    expect((await client.ask(streamed, never)).text).toBe('one two')
  })

  it('sends only what the model accepts', async () => {
    const { client } = await createSimulatedClient({})
    const bad = createRequest('a.md', { model: 'claude-sonnet-5-5', thinking: 'disabled' })
    const error = (await client.ask(bad, never).catch((error: unknown) => error)) as AskError
    expect(error.requestError).toMatchObject({
      status: 400,
      message: expect.stringContaining('thinking.type'),
    })
  })
})
