import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startBrowser, whyBrowserUnavailable } from '../support/browser.ts'
import { readCodeBlocks } from '../support/code-blocks.ts'
import { longWait } from '../support/long-wait.ts'
import { startServe } from '../support/start-serve.ts'
import { createHeldAnswer, end, overloaded, textDelta } from '../support/stream-events.ts'

const question = { prompt: 'What floats?' }
const [client = '', use = ''] = await readCodeBlocks('serve.md', 'js')

type Ask = (
  url: string,
  question: unknown,
  onText: (text: string) => void,
  signal?: AbortSignal,
) => Promise<{ input: number; output: number } | null>
let ask: Ask

beforeAll(async () => {
  const module = `data:text/javascript,${encodeURIComponent(`${client}\nexport { ask }`)}`
  ask = ((await import(module)) as { ask: Ask }).ask
})

/** Starts a server whose answer is controlled by the test. */
async function held(flags: string[] = []) {
  const answer = createHeldAnswer()
  const server = await startServe(flags, { service: { script: () => answer.behaviour } })
  return { ...server, answer, stream: `${server.url}/stream` }
}

describe('the client in the documentation', () => {
  it('passes on each piece of text, and returns the usage at the end', async () => {
    const { stream, answer } = await held()
    const pieces: string[] = []
    const usage = ask(stream, question, (text) => pieces.push(text))
    await answer.send(textDelta('Boats “'))
    await expect.poll(() => pieces, longWait).toEqual(['Boats “'])
    await answer.send(textDelta('float”.') + end)
    expect(await usage).toEqual({ input: 9, output: 2 })
    expect(pieces).toEqual(['Boats “', 'float”.'])
  })

  it('aborts the request to the API when its signal aborts', async () => {
    const { stream, answer } = await held()
    const stop = new AbortController()
    const usage = ask(stream, question, () => stop.abort(), stop.signal)
    await Promise.all([answer.send(textDelta('Boats')), expect(usage).rejects.toThrow(/abort/)])
    await answer.clientClosed
  })

  it('rejects with the error, before and after the first word', async () => {
    const { stream, answer } = await held()
    await expect(ask(stream, {}, () => {})).rejects.toThrow(/^400: .*invalid_request/)
    const broken = expect(ask(stream, question, () => {})).rejects.toThrow(
      'the API failed with a transient error',
    )
    await Promise.all([answer.send(textDelta('Boats') + overloaded), broken])
  })

  it('rejects when a stream is cut off', async () => {
    const server = createServer((_, response) => response.end('data: {"text":"Boats"}\n\n'))
    await expect(ask(await address(server), question, () => {})).rejects.toThrow('lost before the end')
  })

  it('works in a page of another origin only if that origin is allowed', async (context) => {
    const why = whyBrowserUnavailable()
    if (why !== undefined) return context.skip(why)
    let stream = ''
    const page = createServer((_, response) => {
      const script = `${client}\n${use.replace('http://localhost:8000/stream', stream)}\ndocument.title = usage.output`
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end(`<pre id="output"></pre><script type="module">${script}</script>`)
    })
    const origin = await address(page)
    const browser = await startBrowser()
    onTestFinished(() => browser.close())
    const allowed = await held(['--allow-origin', origin])
    stream = allowed.stream
    const tab = await browser.newPage()
    await tab.goto(origin)
    const shown = () => tab.textContent('#output')
    await allowed.answer.send(textDelta('Boats'))
    await expect.poll(shown, longWait).toBe('Boats')
    await allowed.answer.send(textDelta(' float.') + end)
    await expect.poll(() => tab.title(), longWait).toBe('2')
    expect(await shown()).toBe('Boats float.')

    const closed = await held()
    stream = closed.stream
    const refused = tab.waitForEvent('pageerror')
    await tab.goto(origin)
    expect((await refused).message).toContain('Failed to fetch')
    expect(closed.simulator.stats().requests).toBe(0)
  })
})

/** Starts the server until the test ends. @returns its address */
async function address(server: ReturnType<typeof createServer>): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => server.closeAllConnections())
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
