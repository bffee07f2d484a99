import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openServePage, startBrowser, whyBrowserUnavailable } from '../support/browser.ts'
import { readCodeBlocks } from '../support/code-blocks.ts'
import { longWait } from '../support/long-wait.ts'
import { startNginx, whyNginxUnavailable } from '../support/nginx.ts'
import { type StartServeOptions, startServe } from '../support/start-serve.ts'
import { createHeldAnswer, end, overloaded, textDelta } from '../support/stream-events.ts'

let browser: Browser | undefined

beforeAll(async () => {
  if (whyBrowserUnavailable() === undefined) browser = await startBrowser()
})
afterAll(() => browser?.close())
beforeEach((context) => {
  const why = whyBrowserUnavailable()
  if (why !== undefined) context.skip(why)
})

const opened = (url: string) => openServePage(browser, url)

/** Opens the page of a server; the test controls its first answer. */
async function held(flags: string[] = [], options: StartServeOptions = {}) {
  const answer = createHeldAnswer()
  const script: NonNullable<StartServeOptions['service']>['script'] = ({ index }) =>
    index === 0 ? answer.behaviour : { kind: 'answer', delayMs: 1, text: 'Another.' }
  const server = await startServe(flags, { ...options, service: { script } })
  return { server, answer, ...(await opened(server.url)) }
}

describe('the page of the server', () => {
  it('shows the summary while it is written', async () => {
    const { answer, ask, shows, notes, summary, complaints } = await held()
    await ask()
    await notes('waiting for the first text …')
    await answer.send(textDelta('Boats'))
    await shows('Boats')
    await notes(/^first text after \d+\.\d s$/)
    await answer.send(textDelta(' float.\n'))
    await shows('Boats float.\n')
    expect(await summary.getAttribute('aria-busy')).toBe('true')
    await answer.send(textDelta('So does ice.') + end)
    await notes(/^done in \d+\.\d s, first text after \d+\.\d s; 9 tokens in, 2 out$/)
    await shows('Boats float.\nSo does ice.')
    expect(await summary.getAttribute('aria-busy')).toBe('false')
    expect(complaints).toEqual([])
  })

  it('aborts the request to the API with its Stop button, and can send another', async () => {
    const { answer, ask, shows, notes, button } = await held()
    await ask()
    await answer.send(textDelta('Boats'))
    await shows('Boats')
    await button('Stop').click()
    await answer.clientClosed
    await notes('stopped')
    await ask()
    await shows('Another.')
  })

  it('sends one request at a time, and keeps the keyboard focus', async () => {
    const { answer, text, button, shows, page, server } = await held()
    await text.fill('Boats float.')
    await button('Summarize').press('Enter')
    await answer.send(textDelta('Boats'))
    await shows('Boats')
    expect(await page.evaluate('document.activeElement.id')).toBe('stop')
    await text.press('Control+Enter')
    await button('Stop').focus()
    await answer.send(textDelta(' float.') + end)
    await expect.poll(() => page.evaluate('document.activeElement.id'), longWait).toBe('go')
    await shows('Boats float.')
    expect(server.simulator.stats().requests).toBe(1)
  })

  it('shows errors before the first word', async () => {
    const { server, answer, ask, text, button, notes } = await held([
      '--concurrency',
      '1',
      '--max-queue',
      '0',
    ])
    await button('Summarize').click()
    await notes('There is no document yet.')
    const other = server.post({ prompt: 'What floats?' })
    await vi.waitUntil(() => server.simulator.stats().requests === 1, longWait)
    await ask()
    await notes('too many requests in the queue; retry later')
    await answer.send(textDelta('Boats.') + end)
    await (await other).text()
    await text.fill('a'.repeat(4_000_000))
    await button('Summarize').click()
    await notes('a request may have at most 4000000 bytes; split the text')
    server.sendSignal('SIGTERM')
    await server.exitCode
    await ask()
    await notes('the connection to the server was lost')
  })

  it('shows why the API rejects a text', async () => {
    const message = 'prompt is too long: 250000 tokens > 200000 maximum'
    const { url } = await startServe([], {
      service: { script: () => ({ kind: 'status', status: 400, type: 'invalid_request_error', message }) },
    })
    const { ask, notes } = await opened(url)
    await ask()
    await notes(`${message}; split the document`)
  })

  it('keeps the text that arrived before an error', async () => {
    const { answer, ask, shows, notes } = await held()
    await ask()
    await answer.send(textDelta('Boats') + overloaded)
    await notes('the API failed with a transient error; retry later')
    await shows('Boats')
  })

  it('asks for the token if the server has one', async () => {
    const flags = ['--token', 'env:SERVE_TOKEN']
    const { page, answer, ask, notes, shows } = await held(flags, {
      env: { SERVE_TOKEN: '0123456789abcdef' },
    })
    const token = page.getByLabel('Token of this server')
    expect(await token.isVisible()).toBe(false)
    await ask()
    await notes('this server needs a token')
    await token.fill('wrong')
    await token.press('Enter')
    await notes('the token is wrong')
    await token.fill('0123456789abcdef')
    await token.press('Enter')
    await answer.send(textDelta('Boats.') + end)
    await shows('Boats.')
  })

  it('accepts a file that is dropped on the text box or elsewhere', async () => {
    const { page, text, notes } = await opened((await startServe()).url)
    const drop = async (on: string, content: string, name: string) => {
      const made = `const data = new DataTransfer(); data.items.add(new File(['${content}'], '${name}')); data`
      await page.dispatchEvent(on, 'drop', { dataTransfer: await page.evaluateHandle(made) })
    }
    await drop('textarea', 'Boats float.', 'boats.txt')
    await notes('boats.txt, 12 bytes')
    expect(await text.inputValue()).toBe('Boats float.')
    await drop('h1', 'Ice', 'ice.txt')
    await notes('ice.txt, 3 bytes')
    expect(await text.inputValue()).toBe('Ice')
  })

  it('works under a separate host name behind nginx, also below a path', async (context) => {
    const why = whyNginxUnavailable()
    if (why !== undefined) return context.skip(why)
    const { url } = await startServe(['--allow-host', 'notes.example'])
    const [block = ''] = await readCodeBlocks('serve.md', 'nginx')
    const below = block.replace('location /', 'location /notes/').replace('8000;', '8000/;')
    for (const [location, path] of [
      [block, '/'],
      [below, '/notes/'],
    ] as const) {
      const proxy = await startNginx(location.replace('http://127.0.0.1:8000', url))
      const { ask, notes, complaints } = await opened(proxy.replace('127.0.0.1', 'notes.example') + path)
      await ask()
      await notes(/^done in /)
      expect(complaints).toEqual([])
    }
  })
})

describe('an answer on the page', () => {
  it('has its model, prompt and cost below it, and can be copied', async () => {
    const { page, answer, ask, shows, notes, button, complaints } = await held()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    expect(await button('Copy').isDisabled()).toBe(true)
    expect(await page.locator('#simulated').isVisible()).toBe(false)
    await ask()
    await answer.send(textDelta('Boats float.') + end)
    await shows('Boats float.')
    await notes(/^done in /)
    expect(await page.locator('#details').textContent()).toMatch(
      /^modelclaude-.*promptsummarize@v\d+cost\$0\.0/,
    )
    await button('Copy').click()
    await notes('copied')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('Boats float.')
    expect(complaints).toEqual([])
  })

  it('fits on a phone', async () => {
    const { page, answer, ask, notes } = await held()
    await page.setViewportSize({ width: 360, height: 700 })
    await ask()
    await answer.send(textDelta('Boats float.') + end)
    await notes(/^done in /)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  })
})

describe('text from the model', () => {
  it('is plain text on the page', async () => {
    const { page, answer, ask, shows, complaints } = await held()
    const hostile = `</output><script>ran = 1</script><img src=x onerror="ran = 1"><a href="javascript:ran = 1">x</a>`
    await ask()
    await answer.send(textDelta(hostile) + end)
    await shows(hostile)
    expect(await page.locator('#summary *').count()).toBe(0)
    expect(await page.evaluate('typeof ran')).toBe('undefined')
    expect(complaints).toEqual([])
  })

  it('could not run scripts or load anything, even as HTML', async () => {
    const { page, complaints } = await opened((await startServe()).url)
    await page.evaluate(`
      const script = document.createElement('script')
      script.textContent = 'ran = 1'
      document.body.append(script)
      document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="ran = 1"><img src="http://localhost:1/x">')
    `)
    const elsewhere = page.evaluate(`fetch('http://localhost:1/').then(() => 'sent', () => 'refused')`)
    expect(await elsewhere).toBe('refused')
    expect(await page.evaluate('typeof ran')).toBe('undefined')
    const refused = complaints.filter((text) => text.includes('Content Security Policy'))
    for (const directive of ['script-src', 'img-src', 'connect-src'])
      expect(refused.join('\n')).toContain(directive)
  })
})
