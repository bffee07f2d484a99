import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseBatchResultLine } from '../../src/claude/parse-batch-result.ts'
import { AskError } from '../../src/core/errors/ask-error.ts'
import { classifyError } from '../../src/core/errors/classify-error.ts'
import { formatFailure, toFailure } from '../../src/core/errors/failure.ts'
import { listPrice } from '../../src/core/pricing/pricing-rules.ts'
import type { Reply } from '../../src/core/request/reply.ts'
import { createRequest } from '../support/scripted-ask.ts'
import { createServedClient } from '../support/served-client.ts'
import { end, formatEvent, start, textDelta } from '../support/stream-events.ts'

const never = new AbortController().signal
const json = 'application/json'
const sse = 'text/event-stream'
const plain = createRequest('a.md')
const streamed = createRequest('a.md', { maxTokens: 8192 })

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-5-5',
  content: [{ type: 'text', text: 'A summary.' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  stop_details: { type: 'refusal', category: 'bio', explanation: 'no' },
  usage: {
    input_tokens: 9,
    output_tokens: 3,
    cache_creation_input_tokens: 4,
    cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 3 },
    cache_read_input_tokens: 5,
    service_tier: 'standard',
  },
}
const error = {
  type: 'error',
  error: { type: 'api_error', message: 'x', details: { error_code: 'y' } },
  request_id: 'req_1',
}
const events = [
  { type: 'message_start', message: { ...message, content: [] } },
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'A summary.' } },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_details: null }, usage: message.usage },
  { type: 'message_stop' },
]

type Path = readonly (string | number)[]

/** The paths to a value and to all values within it. */
function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value)
  return [
    path,
    ...[...keys].flatMap((key) => pathsIn((value as Record<string, unknown>)[key], [...path, key])),
  ]
}

function replaced(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by
  const copy = structuredClone(value) as Record<string, unknown>
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

/** A value with one of its parts replaced by any JSON value. */
const damaged = (value: unknown) =>
  fc
    .tuple(fc.constantFrom(...pathsIn(value)), fc.jsonValue({ maxDepth: 2 }))
    .map(([path, by]) => replaced(value, path, by))

function checkReply({ text, model, stopReason, usage, terms }: Reply) {
  expect([typeof text, typeof model]).toEqual(['string', 'string'])
  expect(stopReason === null || typeof stopReason === 'string').toBe(true)
  for (const tokens of Object.values<number>({ ...usage }))
    expect(Number.isSafeInteger(tokens) && tokens >= 0).toBe(true)
  if (usage !== undefined && model !== 'unknown')
    expect(
      typeof (listPrice({ model, requestedModel: plain.model, usage, ...(terms && { terms }) }) ?? 0n),
    ).toBe('bigint')
  expect(text).not.toContain('[object')
}

function checkError(thrown: unknown) {
  expect(thrown).toBeInstanceOf(AskError)
  const { requestError } = thrown as AskError
  classifyError(requestError)
  const failure = toFailure(requestError)
  for (const text of [failure.message, failure.type, requestError.code ?? '', failure.requestId ?? ''])
    expect(typeof text).toBe('string')
  expect(formatFailure(failure)).not.toMatch(/\[object|undefined|NaN/)
}

describe('a response in which any JSON replaces one part', () => {
  const cases = {
    'a message': fc.tuple(
      fc.constant(plain),
      fc.constant(200),
      fc.constant(json),
      damaged(message).map((body) => JSON.stringify(body)),
    ),
    'an error': fc.tuple(
      fc.constantFrom(plain, streamed),
      fc.constantFrom(200, 302, 400, 401, 403, 429, 500, 529),
      fc.constant(json),
      damaged(error).map((body) => JSON.stringify(body)),
    ),
    'a stream': fc.tuple(
      fc.constant(streamed),
      fc.constant(200),
      fc.constant(sse),
      fc
        .tuple(damaged(events), damaged(error), fc.constantFrom('data', 'error', 'message'))
        .map(([events, error, name]) => {
          const list: unknown[] = Array.isArray(events) ? events : [events]
          const lines = list.map((data) => `event: data\ndata: ${JSON.stringify(data)}\n\n`)
          if (name !== 'data') lines.splice(3, 0, `event: ${name}\ndata: ${JSON.stringify(error)}\n\n`)
          return lines.join('')
        }),
    ),
  }

  it.each(Object.entries(cases))('becomes a reply or a request error: %s', async (_name, arbitrary) => {
    const { client, serve } = await createServedClient()
    await fc.assert(
      fc.asyncProperty(arbitrary, async ([request, status, type, body]) => {
        serve(status, type, body)
        const pieces: string[] = []
        const watch = request === streamed ? (piece: string) => void pieces.push(piece) : undefined
        const answer = await client.ask(request, never, watch).catch((error: unknown) => error)
        if (answer instanceof Error) checkError(answer)
        else {
          checkReply(answer as Reply)
          if (watch !== undefined) expect(pieces.join('')).toBe((answer as Reply).text)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('becomes a valid value or a request error: a token count, a batch and a list of batches', async () => {
    const batch = {
      id: 'msgbatch_1',
      processing_status: 'ended',
      created_at: '2026-11-22T12:00:00Z',
      ended_at: '2026-11-22T13:00:00Z',
      archived_at: null,
      request_counts: { succeeded: 1, errored: 2 },
      results_url: null,
    }
    const { client, serve } = await createServedClient()
    const list = { data: [batch], has_more: false }
    await fc.assert(
      fc.asyncProperty(
        damaged({ input_tokens: 5 }),
        damaged(batch),
        damaged(list),
        async (count, one, all) => {
          serve(200, json, JSON.stringify(count))
          await client.countTokens(plain, never).then(checkReply, checkError)
          serve(200, json, JSON.stringify(one))
          await client.batches.retrieve('msgbatch_1', never).catch(checkError)
          serve(200, json, JSON.stringify(all))
          await client.batches.listSince(0, never).catch(checkError)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('becomes a valid batch result or is unreadable: a line of batch results', () => {
    const lines = [
      { custom_id: 'a', result: { type: 'succeeded', message } },
      { custom_id: 'a', result: { type: 'errored', error } },
    ]
    fc.assert(
      fc.property(fc.constantFrom(...lines).chain(damaged), (line) => {
        const { result } = parseBatchResultLine(JSON.stringify(line))
        if (typeof result === 'string' || 'unreadableReason' in result) return
        if ('reply' in result) checkReply(result.reply)
        else checkError(new AskError(result.requestError))
      }),
    )
  })
})

describe('a stream', () => {
  const failing = async (body: string) => {
    const { client, serve } = await createServedClient()
    serve(200, sse, body)
    return ((await client.ask(streamed, never).catch((error: unknown) => error)) as AskError).requestError
  }
  const data = (json: string) => `event: x\ndata: ${json}\n\n`

  it('with an event that is null or a number is read without that event', async () => {
    const { client, serve } = await createServedClient()
    serve(200, sse, start + data('null') + data('7') + textDelta('One.') + end)
    expect((await client.ask(streamed, never)).text).toBe('One.')
  })

  it('with a piece of text that is an object is malformed', async () => {
    const piece = formatEvent({ type: 'content_block_delta', delta: { type: 'text_delta', text: { a: 1 } } })
    expect(await failing(start + textDelta('half ') + piece + end)).toMatchObject({
      kind: 'malformed',
      message: expect.stringContaining('a piece of the text is unreadable'),
    })
  })

  it('with an error whose type or message is not a string is a transient error', async () => {
    for (const wrong of [{ type: {}, message: 'x' }, { type: ['a'] }, null, 'text', 5]) {
      const fault = await failing(start + formatEvent({ type: 'error', error: wrong }))
      expect(classifyError(fault)).toBe('transient')
    }
    expect(
      await failing(
        start + formatEvent({ type: 'error', error: { type: 'overloaded_error', message: [1] } }),
      ),
    ).toMatchObject({ kind: 'stream', type: 'overloaded_error', message: 'an error without a message' })
  })

  it('with an error under another event name is an error', async () => {
    const unnamed = data(
      JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'busy' } }),
    )
    expect(await failing(start + unnamed)).toMatchObject({ kind: 'stream', type: 'overloaded_error' })
  })

  it('may be replaced by a complete JSON message', async () => {
    const { client, serve } = await createServedClient()
    const pieces: string[] = []
    serve(200, 'application/json; charset=utf-8', JSON.stringify(message))
    const reply = await client.ask(streamed, never, (piece) => void pieces.push(piece))
    expect([reply.text, pieces.join(''), reply.usage?.output_tokens]).toEqual(['A summary.', 'A summary.', 3])
  })
})

describe('an API error', () => {
  it.each<[number, string, object]>([
    [200, 'invalid_request_error', { status: 400, errorClass: 'document' }],
    [200, 'overloaded_error', { status: 529, errorClass: 'transient' }],
    [200, 'rate_limit_error', { status: 429, errorClass: 'rate_limited' }],
    [200, 'authentication_error', { status: 401, errorClass: 'account' }],
    [200, 'made_up_error', { status: 200, errorClass: 'transient' }],
    [500, 'invalid_request_error', { status: 400, errorClass: 'document' }],
    [502, 'api_error', { status: 500, errorClass: 'transient' }],
    [400, 'made_up_error', { status: 400, errorClass: 'document' }],
  ])('with status %i and type %s is classified by its type', async (status, type, expected) => {
    const { client, serve } = await createServedClient()
    serve(status, json, JSON.stringify({ type: 'error', error: { type, message: 'x' } }))
    for (const request of [plain, streamed]) {
      const { requestError } = (await client.ask(request, never).catch((error: unknown) => error)) as AskError
      expect({ status: requestError.status, errorClass: classifyError(requestError) }).toEqual(expected)
    }
  })
})
