import { beforeAll, describe, expect, it } from 'vitest'
import type { Behaviour } from '../../src/simulator/script.ts'
import { respondWith } from '../support/manual-response.ts'
import { end, formatEvent, start, textDelta } from '../support/stream-events.ts'
import { answer, type Seen, withFaults } from './with-faults.ts'

type Answer = Extract<Behaviour, { kind: 'answer' }>
const reply = (fields: Partial<Answer>): Answer => ({ kind: 'answer', delayMs: 5, ...fields })
const raw = (status: number, type: string, body: string): Behaviour => ({
  kind: 'raw',
  status,
  headers: { 'content-type': type },
  body,
})
/** A reply with this content. Unlike an answer of the simulator, it counts toward no rate limit. */
const withContent = (content: unknown, change = (body: Buffer) => body) =>
  respondWith((response, message) => {
    response.writeHead(200, { 'content-type': json })
    response.end(change(Buffer.from(JSON.stringify({ ...message, content }))))
  })
const text = (text: string) => [{ type: 'text', text }]
const json = 'application/json'
const page = '<h1>Sign in to the airport</h1>'

describe('a reply that is not a summary', () => {
  const declined = { type: 'refusal', category: 'cyber', explanation: 'no\u001b[2J' }
  const rows = {
    R01: [reply({ content: text('I can'), stopReason: 'refusal', stopDetails: declined })],
    R02: [reply({ stopReason: 'max_tokens' })],
    R03: [reply({ stopReason: 'model_context_window_exceeded' })],
    R04: [reply({ stopReason: 'pause_turn' })],
    'R04-tool': [reply({ stopReason: 'tool_use' })],
    R05: [reply({ stopReason: 'new\u001b[2Jreason' })],
    R06: [reply({ content: [] })],
    R07: [reply({ content: [{ type: 'thinking', thinking: 'hm', signature: 'x' }] })],
    R08: [reply({ content: text(' \n\t ') })],
  }
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows }))[0]
    expect(seen?.code).toBe(1)
    expect(seen?.stderr).not.toContain('retryable')
  })

  it.each<[keyof typeof rows, string, RegExp]>([
    ['R01', 'a refusal', /^ERROR: reply refusal: the model declined \(cyber: no\\x1b\[2J\); /],
    [
      'R02',
      'a reply that is cut off at max_tokens',
      /^ERROR: reply max_tokens: cut off at 1024 output tokens; raise --max-tokens\n/,
    ],
    [
      'R03',
      'a reply that is cut off by the context window',
      /^ERROR: reply model_context_window_exceeded: .*; split the document\n/,
    ],
    ['R04', 'a pause', /^ERROR: reply unexpected_stop: the model stopped with "pause_turn"/],
    ['R04-tool', 'a tool call', /^ERROR: reply unexpected_stop: the model stopped with "tool_use"/],
    ['R05', 'an unknown stop reason', /^ERROR: reply unexpected_stop: .* "new\\u001b\[2Jreason"/],
    [
      'R06',
      'an empty reply',
      /^ERROR: reply empty: the model answered without any text; try another model or prompt\n/,
    ],
    ['R07', 'a reply of only thinking', /^ERROR: reply empty: /],
    ['R08', 'a reply of only white space', /^ERROR: reply empty: /],
  ])('%s %s fails the document after one request, and its cost is recorded', (row, _name, record) => {
    const fate = seen?.fates[row]
    expect(fate).toMatchObject({ summary: undefined, record: expect.stringMatching(record) })
    expect(fate?.sent).toHaveLength(1)
    expect(fate?.line?.usage?.input_tokens).toBeGreaterThan(0)
    expect(fate?.line?.cost_usd).toBeGreaterThan(0)
  })

  it('R02 the error record keeps the text of a reply that was cut off', () => {
    expect(seen?.fates['R02']?.record).toMatch(/\n\nThe text that was paid for:\n\n\[simulated\] .+\n$/s)
  })
})

describe('an unusual reply that is a summary', () => {
  const usage = { input_tokens: 1000, output_tokens: 100 }
  const cached = {
    ...usage,
    cache_creation_input_tokens: 200,
    cache_creation: { ephemeral_5m_input_tokens: 150, ephemeral_1h_input_tokens: 50 },
    cache_read_input_tokens: 4000,
    service_tier: 'priority',
    made_up_tomorrow: { input_tokens: 7 },
  }
  const uncounted: Record<string, unknown> = {
    R09: null,
    R10: { ...usage, output_tokens: -1 },
    'R10-text': { ...usage, input_tokens: '1000' },
    'R10-null': { input_tokens: null, output_tokens: null },
    'R10-half': { ...usage, output_tokens: 1.5 },
  }
  const mixed = [{ type: 'thinking', thinking: '' }, ...text('One '), { type: 'made_up' }, ...text('two.')]
  const long = 'word '.repeat(2_000_000)
  const rows = {
    ...Object.fromEntries(Object.entries(uncounted).map(([row, usage]) => [row, [reply({ usage })]])),
    R11: [reply({ usage: cached })],
    R12: [reply({ usage, model: 'claude-sonnet-5-5' })],
    R14: [respondWith((response, message) => void response.writeHead(200).end(JSON.stringify(message)))],
    R17: [
      withContent(text('Half \ud83d of it, @.'), (body) =>
        body.fill(0xff, body.indexOf('@'), body.indexOf('@') + 1),
      ),
    ],
    R21: [reply({ content: mixed })],
    R23: [reply({ content: text('ERROR: quota exceeded') })],
    R24: [withContent(text(long))],
    R25: [reply({ usage, model: 'llama-9' })],
  }
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows }))[0]
    expect(seen).toMatchObject({ code: 0 })
  })

  it.each(Object.keys(uncounted))('%s a reply without valid usage has an unknown cost, not zero', (row) => {
    expect(seen?.fates[row]).toMatchObject({ summary: expect.stringMatching(/^\[simulated\]/) })
    expect(seen?.fates[row]?.line).toMatchObject({ status: 'summarized', usage: null, cost_usd: null })
    expect(seen?.stderr).toMatch(/cost +\$[\d.]+ and an unknown part \(6 without usage or a price for /)
    expect(seen?.stderr).not.toContain('NaN')
  })

  it('R11 each kind of token has its own price', () => {
    const kinds = {
      input_tokens: 1000,
      cache_creation_5m_input_tokens: 150,
      cache_creation_1h_input_tokens: 50,
      cache_read_input_tokens: 4000,
      output_tokens: 100,
    }
    // Haiku: 1000 × 0.1 + 150 × 0.125 + 50 × 0.2 + 4000 × 0.01 + 100 × 0.5 millionths of a dollar.
    expect(seen?.fates['R11']?.line).toMatchObject({ usage: kinds, cost_usd: 0.00021875 })
  })

  it('R12 a reply of another model has the price of that model', () => {
    const line = { model: 'claude-sonnet-5-5', cost_usd: 0.003 }
    expect(seen?.fates['R12']).toMatchObject({ record: undefined, line })
  })
  it('R12 a reply of another model is reported', () => {
    expect(seen?.stderr).toContain('1 reply came from claude-sonnet-5-5 and is priced as such')
  })

  it('R14 a reply without a content type is accepted', () => {
    expect(seen?.fates['R14']?.summary).toMatch(/^\[simulated\]/)
    expect(seen?.fates['R14']?.sent).toHaveLength(1)
  })

  it('R17 invalid characters are replaced, and the summary is valid UTF-8', () => {
    expect(seen?.fates['R17']?.summary).toBe('Half \ufffd of it, \ufffd.\n')
  })

  it('R21 unknown content blocks are ignored', () => {
    expect(seen?.fates['R21']?.summary).toBe('One two.\n')
  })

  it('R23 a reply that begins like an error record is a summary', () => {
    const line = { status: 'summarized' }
    expect(seen?.fates['R23']).toMatchObject({ summary: 'ERROR: quota exceeded\n', record: undefined, line })
  })

  it('R24 a reply of 10 MB is written completely', () => {
    expect(seen?.fates['R24']?.summary === `${long.trimEnd()}\n`).toBe(true)
  })

  it('R25 a reply of a model without a price has an unknown cost', () => {
    const line = { model: 'llama-9', cost_usd: null, usage: { input_tokens: 1000 } }
    expect(seen?.fates['R25']).toMatchObject({ summary: expect.stringMatching(/^\[simulated\]/), line })
  })
})

describe('a reply that cannot be read', () => {
  const rows: Record<string, readonly Behaviour[]> = {
    R13: [raw(200, 'text/html', page), answer],
    R15: [raw(204, json, ''), answer],
    'R15-nothing': [raw(200, json, ''), answer],
    'R15-list': [raw(200, json, '[]'), answer],
    'R15-null': [raw(200, json, 'null'), answer],
    'R15-error': [raw(200, json, '{"type":"error","error":{"type":"api_error","message":"x"}}'), answer],
    R16: [raw(200, json, '{"type":"message","content":[{"type":"text","te'), answer],
  }
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows }))[0]
    expect(seen?.code).toBe(0)
  })

  it.each(Object.keys(rows))('%s the request is retried', (row) => {
    expect(seen?.fates[row]?.sent).toHaveLength(2)
    expect(seen?.fates[row]).toMatchObject({ summary: expect.stringMatching(/^\[simulated\]/) })
    // An API error with status 200 is not a reply, so no reply counts as lost.
    expect(seen?.fates[row]?.line).toMatchObject({
      attempts: 2,
      ...(row !== 'R15-error' && { lost_replies: 1 }),
    })
  })

  it('R13 a page instead of every reply is reported as such', async () => {
    const [portal] = await withFaults({
      everything: () => raw(200, 'text/html', page),
      flags: ['--retries', '1'],
    })
    expect(portal?.code).toBe(75)
    expect(portal?.fates['a']).toMatchObject({ summary: undefined })
    expect(portal?.fates['a']?.record).toMatch(
      /^ERROR: malformed malformed_reply: not an answer of the Messages API \(text\/html\); a proxy, .* answered in its place\n/,
    )
  })
})

describe('a streamed reply', () => {
  const stream = (...parts: string[]) => raw(200, 'text/event-stream', parts.join(''))
  const ping = formatEvent({ type: 'ping' })
  const unknown =
    formatEvent({ type: 'made_up' }) +
    formatEvent({ type: 'content_block_start', content_block: { type: 'made_up' } }) +
    formatEvent({ type: 'content_block_delta', delta: { type: 'made_up_delta', text: 'x' } })
  const rows: Record<string, readonly Behaviour[]> = {
    R18: [{ kind: 'mid-stream-error', type: 'overloaded_error', delayMs: 5 }, answer],
    R19: [stream(start, textDelta('Half of '), ping), answer],
    'R19-cut': [{ kind: 'truncate', delayMs: 5 }, answer],
    R20: [stream(start, 'event: content_block_delta\ndata: {"type":"content_bl\n\n', end), answer],
    R21: [stream(ping, start, unknown, ping, textDelta('One '), unknown, textDelta('two.'), ping, end)],
    R22: [stream(start, textDelta('One '), start, textDelta('one.'), end), answer],
  }
  let seen: Seen | undefined
  beforeAll(async () => {
    seen = (await withFaults({ rows, flags: ['--max-tokens', '4096'] }))[0]
    expect(seen?.code).toBe(0)
  })

  it.each([
    ['R18', 'ends in an error'],
    ['R19', 'ends before its message is complete'],
    ['R19-cut', 'ends in the middle of the text'],
    ['R20', 'contains invalid JSON'],
    ['R22', 'starts its message twice'],
  ])('%s a stream that %s is retried, and none of its text is kept', (row) => {
    expect(seen?.fates[row]?.sent).toHaveLength(2)
    expect(seen?.fates[row]?.summary?.match(/harbour board|\[simulated\]|One|Half/g)).toEqual([
      '[simulated]',
      'harbour board',
    ])
  })

  it('R21 unknown events are ignored', () => {
    expect(seen?.fates['R21']).toMatchObject({
      summary: 'One two.\n',
      line: { usage: { input_tokens: 9, output_tokens: 2 } },
    })
    expect(seen?.fates['R21']?.sent).toHaveLength(1)
  })
})
