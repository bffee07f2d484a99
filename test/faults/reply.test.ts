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
/** Unlike one of the service's own, it counts toward no limit. */
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
      'cut off at max_tokens',
      /^ERROR: reply max_tokens: cut off at 1024 output tokens; raise --max-tokens\n/,
    ],
    ['R03', 'cut off by the window', /^ERROR: reply model_context_window_exceeded: .*; split the document\n/],
    ['R04', 'a pause', /^ERROR: reply unexpected_stop: the model stopped with "pause_turn"/],
    ['R04-tool', 'a call of a tool', /^ERROR: reply unexpected_stop: the model stopped with "tool_use"/],
    ['R05', 'ended in a way not known yet', /^ERROR: reply unexpected_stop: .* "new\\u001b\[2Jreason"/],
    ['R06', 'empty', /^ERROR: reply empty: the model answered without any text\n/],
    ['R07', 'thoughts alone', /^ERROR: reply empty: /],
    ['R08', 'white space', /^ERROR: reply empty: /],
  ])('%s %s is a record, paid for and sent once', (row, _name, record) => {
    const fate = seen?.fates[row]
    expect(fate).toMatchObject({ summary: undefined, record: expect.stringMatching(record) })
    expect(fate?.sent).toHaveLength(1)
    expect(fate?.line?.usage?.input_tokens).toBeGreaterThan(0)
    expect(fate?.line?.cost_usd).toBeGreaterThan(0)
  })

  it('R02 what was cut off is kept below the reason', () => {
    expect(seen?.fates['R02']?.record).toMatch(/\n\nThe text that was paid for:\n\n\[simulated\] .+\n$/s)
  })
})

describe('a reply that is a summary all the same', () => {
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

  it.each(Object.keys(uncounted))(
    '%s without counts that make sense costs an unknown sum, never none',
    (row) => {
      expect(seen?.fates[row]).toMatchObject({ summary: expect.stringMatching(/^\[simulated\]/) })
      expect(seen?.fates[row]?.line).toMatchObject({ status: 'summarized', usage: null, cost_usd: null })
      expect(seen?.stderr).toMatch(/cost +\$[\d.]+ and an unknown part \(6 without usage or a price for /)
      expect(seen?.stderr).not.toContain('NaN')
    },
  )

  it('R11 has each kind of tokens at its own price', () => {
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

  it('R12 of another model has that one’s price', () => {
    const line = { model: 'claude-sonnet-5-5', cost_usd: 0.003 }
    expect(seen?.fates['R12']).toMatchObject({ record: undefined, line })
  })
  it('R12 of another model is told in the report', () => {
    expect(seen?.stderr).toContain('1 reply came from claude-sonnet-5-5 and is priced as such')
  })

  it('R14 without a content type is taken for what it is', () => {
    expect(seen?.fates['R14']?.summary).toMatch(/^\[simulated\]/)
    expect(seen?.fates['R14']?.sent).toHaveLength(1)
  })

  it('R17 of characters that are none is written as UTF-8', () => {
    expect(seen?.fates['R17']?.summary).toBe('Half \ufffd of it, \ufffd.\n')
  })

  it('R21 of blocks not known yet is the text among them', () => {
    expect(seen?.fates['R21']?.summary).toBe('One two.\n')
  })

  it('R23 that begins like a record is none', () => {
    const line = { status: 'summarized' }
    expect(seen?.fates['R23']).toMatchObject({ summary: 'ERROR: quota exceeded\n', record: undefined, line })
  })

  it('R24 of 10 MB is written whole', () => {
    expect(seen?.fates['R24']?.summary === `${long.trimEnd()}\n`).toBe(true)
  })

  it('R25 of a model without a price costs an unknown sum', () => {
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

  it.each(Object.keys(rows))('%s is asked for again', (row) => {
    expect(seen?.fates[row]?.sent).toHaveLength(2)
    expect(seen?.fates[row]).toMatchObject({ summary: expect.stringMatching(/^\[simulated\]/) })
    // An error of the API with a 200 is no answer, so none was lost.
    expect(seen?.fates[row]?.line).toMatchObject({
      attempts: 2,
      ...(row !== 'R15-error' && { lost_replies: 1 }),
    })
  })

  it('R13 that is a page, again and again, is told as what it is', async () => {
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
    ['R19', 'ends before its message does'],
    ['R19-cut', 'ends in the middle of the text'],
    ['R20', 'brings what is not JSON'],
    ['R22', 'begins its message twice'],
  ])('%s that %s is asked for again, and nothing of it is kept', (row) => {
    expect(seen?.fates[row]?.sent).toHaveLength(2)
    expect(seen?.fates[row]?.summary?.match(/harbour board|\[simulated\]|One|Half/g)).toEqual([
      '[simulated]',
      'harbour board',
    ])
  })

  it('R21 of events not known yet is the text among them', () => {
    expect(seen?.fates['R21']).toMatchObject({
      summary: 'One two.\n',
      line: { usage: { input_tokens: 9, output_tokens: 2 } },
    })
    expect(seen?.fates['R21']?.sent).toHaveLength(1)
  })
})
