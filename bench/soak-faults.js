// The faults that the simulator of the soak test injects.
import { setTimeout as delay } from 'node:timers/promises'

/** The usage of every complete reply, so that token counts in a ledger give the number of replies. */
export const usage = {
  input_tokens: 1000,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 100,
}

const status = (status, more = {}) => ({ kind: 'status', status, ...more })
const raw = (status, type, body, headers = {}) => ({
  kind: 'raw',
  status,
  headers: { 'content-type': type, ...headers },
  body,
})
const limited = (headers) => status(429, { headers })
const page = '<!doctype html><html><h1>Please sign in</h1></html>'
const httpDate = (ms) => new Date(Date.now() + ms).toUTCString()

/**
 * The faults by name:
 * - `does`: returns what the simulator does with a request, by the text and delay of its reply
 * - `record`: matches the error record of a document that failed with this fault; without it, the fault is
 * transient
 * - `billed`: a reply was billed and sent `whole`, or was `broken` in transit
 * - `good`: the reply is a valid summary
 * - `lost`: claude-batch counts the reply as lost
 * - `ends`: the fault may end the run
 * - `batch`: the fault can occur in a batch
 * - `streamed`, `plain`: the fault occurs only in requests with or without streaming
 */
export const soakFaults = {
  400: { does: () => status(400), record: /^ERROR: 400 /, batch: true },
  401: { does: () => status(401), record: /^ERROR: 401 /, ends: true },
  402: { does: () => status(402), record: /^ERROR: 402 /, ends: true },
  403: { does: () => status(403), record: /^ERROR: 403 /, ends: true },
  404: { does: () => status(404), record: /^ERROR: 404 /, ends: true },
  408: { does: () => status(408) },
  409: { does: () => status(409) },
  413: { does: () => status(413), record: /^ERROR: 413 /, batch: true },
  422: { does: () => status(422), record: /^ERROR: 422 / },
  429: { does: () => limited({ 'retry-after': '1' }) },
  '429 without a wait': { does: () => limited({}) },
  '429 wait of 0': { does: () => limited({ 'retry-after': '0' }) },
  '429 wait in ms': { does: () => limited({ 'retry-after-ms': '150' }) },
  '429 wait as a date': { does: () => limited({ 'retry-after': httpDate(1000) }) },
  '429 date in the past': { does: () => limited({ 'retry-after': httpDate(-86_400_000) }) },
  '429 nonsense': { does: () => limited({ 'retry-after': 'soon' }) },
  '429 wait of a day': { does: () => limited({ 'retry-after': '86400' }), ends: true },
  500: { does: () => status(500), batch: true },
  '500 should not be retried': {
    does: () => status(500, { headers: { 'x-should-retry': 'false' } }),
    record: /^ERROR: 500 /,
  },
  '400 should be retried': {
    does: () => status(400, { headers: { 'x-should-retry': 'true' } }),
    record: /^ERROR: 400 /,
  },
  502: { does: () => raw(502, 'text/html', page), lost: true },
  503: { does: () => status(503, { headers: { 'retry-after': '1' } }) },
  504: { does: () => status(504), lost: true },
  529: { does: () => status(529), batch: true },
  'sign-in page': { does: () => raw(200, 'text/html', page) },
  redirect: { does: () => raw(302, 'text/html', page, { location: 'http://127.0.0.1:9/' }), ends: true },
  'JSON as text': { does: () => raw(200, 'text/plain', '{"type":"message"}') },
  'half of a JSON': {
    does: () => raw(200, 'application/json', '{"type":"message","content":[{"ty'),
    lost: true,
  },
  'no body': { does: () => raw(200, 'application/json', '') },
  'events without a message': { does: () => raw(200, 'text/event-stream', 'event: x\ndata: {]\n\n') },
  reset: { does: (_, delayMs) => ({ kind: 'reset', inBody: false, delayMs }), lost: true },
  'reset in the answer': {
    does: (_, delayMs) => ({ kind: 'reset', inBody: true, delayMs }),
    billed: 'broken',
    lost: true,
  },
  'silence before headers': { does: () => ({ kind: 'stall', afterHeaders: false }), lost: true },
  'silence after headers': {
    does: () => ({ kind: 'stall', afterHeaders: true }),
    billed: 'broken',
    lost: true,
  },
  truncated: { does: (_, delayMs) => ({ kind: 'truncate', delayMs }), billed: 'broken', lost: true },
  'error in the stream': {
    does: (_, delayMs) => ({ kind: 'mid-stream-error', type: 'overloaded_error', delayMs }),
    billed: 'broken',
    lost: true,
    streamed: true,
  },
  drip: {
    does: (text) => ({
      kind: 'by-hand',
      respond: (response, message) =>
        drip(response, { ...message, usage, content: [{ type: 'text', text }] }),
    }),
    billed: 'whole',
    good: true,
    plain: true,
  },
  refusal: {
    does: (_, delayMs) => ({ kind: 'answer', delayMs, text: '', stopReason: 'refusal', usage }),
    record: /^ERROR: .*refusal/,
    billed: 'whole',
    batch: true,
  },
  'cut off': {
    does: (text, delayMs) => ({ kind: 'answer', delayMs, text, stopReason: 'max_tokens', usage }),
    record: /^ERROR: .*max_tokens/,
    billed: 'whole',
    batch: true,
  },
  'stopped oddly': {
    does: (text, delayMs) => ({ kind: 'answer', delayMs, text, stopReason: 'pause_turn', usage }),
    record: /^ERROR: .*unexpected_stop/,
    billed: 'whole',
    batch: true,
  },
  empty: {
    does: (_, delayMs) => ({ kind: 'answer', delayMs, content: [], usage }),
    record: /^ERROR: .*empty/,
    billed: 'whole',
    batch: true,
  },
  'not counted': {
    does: (text, delayMs) => ({ kind: 'answer', delayMs, text, usage: null }),
    billed: 'whole',
    good: true,
    batch: true,
  },
}

/** Sends a complete JSON reply a few bytes at a time, fast enough to avoid the idle timeout. */
async function drip(response, message) {
  const body = Buffer.from(JSON.stringify(message))
  response.writeHead(200, { 'content-type': 'application/json' })
  for (let at = 0; at < body.length && !response.destroyed; at += 40) {
    response.write(body.subarray(at, at + 40))
    await delay(60)
  }
  response.end()
}
