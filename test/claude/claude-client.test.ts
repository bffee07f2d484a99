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

describe('createClaudeClient', () => {
  it('reuses its connections for the whole run', async () => {
    const { client, simulator } = await createSimulatedClient({})
    for (let n = 0; n < 20; n++) await client.ask(plain, never)
    // The second request may start before the socket of the first one is free. Later requests open no socket.
    expect(simulator.stats().requests).toBe(20)
    expect(simulator.stats().connections).toBeLessThanOrEqual(2)
  })

  it('returns the limits from the response headers', async () => {
    const { client } = await createSimulatedClient({ limits: { rpm: 77, itpm: 300_000, otpm: 60_000 } })
    const { limits } = await client.ask(plain, never)
    expect(limits).toEqual({
      requests: { limit: 77, remaining: 76 },
      inputTokens: { limit: 300_000, remaining: 300_000 },
      outputTokens: { limit: 60_000, remaining: 60_000 },
    })
  })

  it('returns no limits if a proxy removes the headers', async () => {
    const { client } = await createSimulatedClient({ rateLimitHeaders: false })
    expect((await client.ask(plain, never)).limits).toBeUndefined()
  })

  it('measures the time to the first text of a stream', async () => {
    const { client } = await createSimulatedClient({
      script: () => ({ kind: 'answer', delayMs: 60, text: 'one two three four' }),
    })
    const { firstTokenMs } = await client.ask(streamed, never)
    expect(firstTokenMs).toBeGreaterThan(0)
  })

  it('passes the text on while it is streamed, in complete characters', async () => {
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
      'the page of a captive portal',
      { kind: 'raw', status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>Sign in</h1>' },
    ],
    ['a 204', { kind: 'raw', status: 204, headers: {}, body: '' }],
    [
      'an empty list',
      { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: '[]' },
    ],
    ['null', { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: 'null' }],
    [
      'an error with status 200',
      { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: '{"type":"error"}' },
    ],
    [
      'truncated JSON',
      { kind: 'raw', status: 200, headers: { 'content-type': 'application/json' }, body: '{"type":"mess' },
    ],
  ])('throws a transient error for %s instead of a message', async (_name, behaviour) => {
    for (const request of [plain, streamed]) {
      const fault = await faultOf(behaviour, request)
      expect(fault.kind).toBe('malformed')
      expect(classifyError(fault)).toBe('transient')
    }
  })

  it.each<[string, Behaviour]>([
    ['a reset before the response', { kind: 'reset', inBody: false, delayMs: 1 }],
    ['a reset in the response', { kind: 'reset', inBody: true, delayMs: 1 }],
    ['a response that ends too early', { kind: 'truncate', delayMs: 1 }],
    ['an error event in a stream', { kind: 'mid-stream-error', type: 'overloaded_error', delayMs: 1 }],
  ])('classifies %s as transient', async (_name, behaviour) => {
    for (const request of [plain, streamed]) {
      expect(classifyError(await faultOf(behaviour, request))).toBe('transient')
    }
  })

  it('times out if the API sends nothing, before or after the headers', async () => {
    for (const request of [plain, streamed]) {
      for (const afterHeaders of [true, false]) {
        expect((await faultOf({ kind: 'stall', afterHeaders }, request, 100)).kind).toBe('timeout')
      }
    }
  })

  it('aborts a reply that exceeds the total timeout, even if bytes keep arriving', async () => {
    const words = 'word '.repeat(50)
    const fault = await faultOf({ kind: 'answer', delayMs: 20_000, text: words }, streamed, 5000, 300)
    expect(fault).toMatchObject({ kind: 'timeout', message: 'no complete answer within 0.3 s' })
    // A retry would take as long and be billed again.
    expect([classifyError(fault), isRetryable(fault)]).toEqual(['transient', false])
  })

  it('switches to streaming after a plain reply exceeded the idle timeout', async () => {
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
        message: 'received no data for 0.3 s; if replies take longer, raise --idle-timeout',
      },
    })
    for (let n = 0; n < 3; n++) expect((await client.ask(plain, never)).text).toMatch(/^\[simulated\]/)
    expect(streamed).toEqual([false, true, true, true])
  })

  it('does not switch to streaming after other errors', async () => {
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

  it('follows no redirect, and names its target in the error', async () => {
    const elsewhere = await createSimulatedClient({})
    const location = 'http://evil.example/v1/messages'
    const fault = await faultOf({ kind: 'raw', status: 307, headers: { location }, body: '' })
    expect(fault.message).toContain(location)
    expect(classifyError(fault)).toBe('account')
    expect(elsewhere.simulator.stats().requests).toBe(0)
  })

  it('shows the error page of a proxy without markup', async () => {
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

  it('cancels the HTTP request if the caller aborts', async () => {
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

  it('treats missing or invalid usage as unknown', async () => {
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

  it('treats the usage of a stream as unknown if only the start event has it', async () => {
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
      'with null as the stop reason',
      formatEvent({ type: 'message_delta', delta: { stop_reason: null }, usage: { output_tokens: 2 } }) +
        formatEvent({ type: 'message_stop' }),
    ],
    ['without message_stop', end.slice(0, end.indexOf('event: message_stop'))],
    ['without any final event', ''],
  ])('treats a stream that ends %s as incomplete', async (_, last) => {
    const headers = { 'content-type': 'text/event-stream' }
    const body = start + textDelta('A whole sentence.') + last
    const { client } = await createSimulatedClient({
      script: () => ({ kind: 'raw', status: 200, headers, body }),
    })
    await expect(client.ask(streamed, never)).rejects.toMatchObject({
      requestError: { kind: 'malformed', type: 'stream_ended_early' },
    })
  })

  it('joins text blocks and ignores all others', async () => {
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

  it('throws the error of the API if the model does not accept a parameter', async () => {
    const { client } = await createSimulatedClient({})
    const bad = createRequest('a.md', { model: 'claude-sonnet-5-5', thinking: 'disabled' })
    const error = (await client.ask(bad, never).catch((error: unknown) => error)) as AskError
    expect(error.requestError).toMatchObject({
      status: 400,
      message: expect.stringContaining('thinking.type'),
    })
  })
})
