import { beforeEach, describe, expect, it, vi } from 'vitest'
import { readCodeBlocks } from '../support/code-blocks.ts'
import { longWait } from '../support/long-wait.ts'
import { startNginx, whyNginxUnavailable } from '../support/nginx.ts'
import { sendRawRequest } from '../support/raw-http.ts'
import { readEvents, startServe } from '../support/start-serve.ts'
import { createHeldAnswer, end, textDelta } from '../support/stream-events.ts'

const json = { 'content-type': 'application/json' }
const asked = { method: 'POST', headers: json, body: JSON.stringify({ prompt: 'What floats?' }) }
const done = { done: true, usage: { input: 9, output: 2 } }

beforeEach((context) => {
  const why = whyNginxUnavailable()
  if (why !== undefined) context.skip(why)
})

/** Starts a server behind nginx; the test controls its first answer. */
async function behindNginx(location: (upstream: string) => string, ...flags: string[]) {
  const answer = createHeldAnswer()
  const server = await startServe(flags, {
    service: { script: ({ index }) => (index === 0 ? answer.behaviour : { kind: 'answer', delayMs: 1 }) },
  })
  return { server, answer, proxy: await startNginx(location(server.url)) }
}

/** Sends a request through nginx and collects the events that arrive. */
function listen(url: string) {
  const events: unknown[] = []
  const ended = (async () => {
    for await (const event of readEvents(await fetch(`${url}/stream`, asked))) events.push(event)
  })()
  return { events, ended }
}

const plain = (upstream: string) => `location / { proxy_pass ${upstream}; }`
// Debian's nginx uses HTTP/1.0 by default; it forwards chunks of 1.1 immediately, even without the header.
const deaf = (upstream: string) =>
  `location / { proxy_pass ${upstream}; proxy_http_version 1.0; proxy_ignore_headers X-Accel-Buffering; }`
const oneByOne = (upstream: string) =>
  `location / { proxy_pass ${upstream}; proxy_http_version 1.1; proxy_set_header Connection ""; }`
const [block = ''] = await readCodeBlocks('serve.md', 'nginx')
const theOneOfTheDocs = (upstream: string) => block.replace('http://127.0.0.1:8000;', `${upstream};`)

/** Waits until the server has sent the first word, according to its metrics, read through the same nginx. */
async function firstWordSent(url: string) {
  await vi.waitUntil(async () => {
    const metrics = await fetch(`${url}/metrics`).then((response) => response.text())
    return metrics.includes('claude_batch_time_to_first_text_seconds_count 1')
  }, longWait)
}

describe('behind an nginx with buffering, which is its default', () => {
  it.each([
    ['with nothing but proxy_pass', plain],
    ['over kept-alive connections', oneByOne],
    ['with the documented configuration', theOneOfTheDocs],
  ])('each event arrives before the next one is sent: %s', async (_, location) => {
    const { answer, proxy } = await behindNginx(location)
    const { events, ended } = listen(proxy)
    for (const text of ['Boats', ' float', '.']) {
      await answer.send(textDelta(text))
      await expect.poll(() => events.at(-1), longWait).toEqual({ text })
    }
    await answer.send(end)
    await ended
    expect(events).toEqual([{ text: 'Boats' }, { text: ' float' }, { text: '.' }, done])
  })

  it('nothing arrives before the end if nginx ignores the header', async () => {
    const { answer, proxy } = await behindNginx(deaf)
    const { events, ended } = listen(proxy)
    for (const text of ['Boats', ' float', '.']) await answer.send(textDelta(text))
    await firstWordSent(proxy)
    // The only worker of nginx has received the first word before it answers this request.
    await fetch(`${proxy}/healthz`)
    expect(events).toEqual([])
    await answer.send(end)
    await ended
    expect(events).toEqual([{ text: 'Boats' }, { text: ' float' }, { text: '.' }, done])
  })

  it('a client that disconnects aborts the request to the API', async () => {
    const { server, answer, proxy } = await behindNginx(plain)
    const hangUp = new AbortController()
    const sent = fetch(`${proxy}/stream`, { ...asked, signal: hangUp.signal })
    await answer.send(textDelta('Boats'))
    expect((await readEvents(await sent).next()).value).toEqual({ text: 'Boats' })
    hangUp.abort()
    await answer.clientClosed
    expect(server.simulator.stats().aborted).toBe(1)
  })

  it('a status before the first byte and Retry-After reach the client', async () => {
    const { server, proxy } = await behindNginx(plain, '--concurrency', '1', '--max-queue', '0')
    void fetch(`${proxy}/stream`, asked).catch(() => {})
    await vi.waitUntil(() => server.simulator.stats().requests === 1, longWait)
    const response = await fetch(`${proxy}/stream`, asked)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
  })
})

describe('under a separate host name behind nginx', () => {
  const token = '0123456789abcdef0123456789abcdef'
  const allowed = ['--allow-host', 'notes.example']

  /** Returns the status, or the error type, of a request from the server's page behind a TLS nginx. */
  async function pageIsTold(location: (upstream: string) => string, flags: string[]) {
    const { url } = await startServe(flags, { env: { SERVE_TOKEN: token } })
    const headers = { ...asked.headers, authorization: `Bearer ${token}` }
    const page = { ...headers, host: 'notes.example', origin: 'https://notes.example' }
    const { status, body } = await sendRawRequest(await startNginx(location(url)), '/stream', page, asked)
    return status === 200 ? status : (JSON.parse(body) as { error: { type: string } }).error.type
  }

  it('the page may use the server if nginx passes on the host name, and it is allowed or a token is set', async () => {
    expect(await pageIsTold(plain, allowed)).toBe('origin_not_allowed')
    expect(await pageIsTold(theOneOfTheDocs, [])).toBe('host_not_allowed')
    expect(await pageIsTold(theOneOfTheDocs, allowed)).toBe(200)
    expect(await pageIsTold(theOneOfTheDocs, ['--token', 'env:SERVE_TOKEN'])).toBe(200)
  })

  it('a text of almost 4 MB reaches the server, and a larger one gets a 413', async () => {
    const proxy = await startNginx(theOneOfTheDocs((await startServe()).url))
    const sent = (length: number) =>
      fetch(`${proxy}/stream`, { ...asked, body: JSON.stringify({ text: 'a '.repeat(length / 2) }) })
    expect((await sent(3_900_000)).status).toBe(400)
    expect((await sent(4_100_000)).status).toBe(413)
  })
})
