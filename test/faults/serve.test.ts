import { once } from 'node:events'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { longWait } from '../support/long-wait.ts'
import { sendRawBytes, sendRawRequest } from '../support/raw-http.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'
import { readAllEvents, readEvents, startServe } from '../support/start-serve.ts'
import { createHeldAnswer, end, overloaded, textDelta } from '../support/stream-events.ts'

const token = '0123456789abcdef0123456789abcdef'
const json = { 'content-type': 'application/json' }
const question = JSON.stringify({ prompt: 'What floats?' })
const asked = { method: 'POST', body: question }

/** Starts a server. The test controls its first upstream answer; the others arrive immediately. */
async function held(...flags: string[]) {
  const answer = createHeldAnswer()
  const server = await startServe(flags, {
    service: { script: ({ index }) => (index === 0 ? answer.behaviour : { kind: 'answer', delayMs: 1 }) },
  })
  return { ...server, answer }
}

describe('access to the server', () => {
  it('S01 the server is reachable only from this machine by default', async () => {
    const { url } = await startServe()
    expect(new URL(url).hostname).toBe('127.0.0.1')
    const others = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
    const address = others.find(({ internal, family }) => !internal && family === 'IPv4')?.address
    if (address === undefined) return
    const socket = connect(Number(new URL(url).port), address)
    expect(await once(socket, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }])
  })

  it('S02 another address is refused without a token, before the server listens', async () => {
    const cwd = await createFolder({ 'token.txt': `${token}\n`, 'short.txt': 'secret' })
    const run = (...flags: string[]) =>
      runInProcess(['serve', '--host', '0.0.0.0', ...flags], { cwd, env: {} })
    expect(await run()).toMatchObject({ code: 2, stderr: expect.stringContaining('--token') })
    expect(await run('--token', 'env:NOBODY')).toMatchObject({ code: 2 })
    expect(await run('--token', 'short.txt')).toMatchObject({ code: 2 })
    for (const [flag, value] of [
      ['--allow-host', 'notes.example:443'],
      ['--allow-origin', 'notes.example'],
      ['--allow-origin', 'https://notes.example/page'],
    ] as const)
      expect(await run('--token', 'token.txt', flag, value)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`${flag} ${value}: expected `),
      })
    const mistaken = await run('--token', 'my-own-secret')
    expect(mistaken).toMatchObject({ code: 2 })
    expect(mistaken.stderr).not.toContain('my-own-secret')
    const open = await startServe(['--host', '0.0.0.0', '--token', 'env:SERVE_TOKEN'], {
      env: { SERVE_TOKEN: token },
    })
    expect(open.url).toContain('0.0.0.0')
    expect(open.getStderr()).toContain('callers need the token')
  })

  it('S03 a request with a foreign Host is refused before any work', async () => {
    const { url, simulator } = await startServe(['--allow-host', 'Summaries.example'])
    const from = async (host: string) => sendRawRequest(url, '/stream', { ...json, host }, asked)
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'evil.example:8000'])
      expect(await from(host), host).toMatchObject({ status: 403 })
    expect(simulator.stats().requests).toBe(0)
    for (const host of ['localhost', 'LOCALHOST:8000', '[::1]:80', 'summaries.example:443'])
      expect(await from(host), host).toMatchObject({ status: 200 })
  })

  it('S04 a foreign Origin is refused, even for a preflight, and an allowed one is accepted', async () => {
    const { url, simulator } = await startServe(['--allow-origin', 'https://friend.example'])
    const host = new URL(url).host
    const from = (origin: string) => sendRawRequest(url, '/stream', { ...json, host, origin }, asked)
    for (const origin of ['https://evil.example', 'null', `https://${host}.evil.example`, 'file://']) {
      const refused = await from(origin)
      expect(refused, origin).toMatchObject({ status: 403 })
      expect(refused.headers).not.toHaveProperty('access-control-allow-origin')
      const preflight = { origin, host, 'access-control-request-method': 'POST' }
      expect(await sendRawRequest(url, '/stream', preflight, { method: 'OPTIONS' })).toMatchObject({
        status: 403,
      })
    }
    expect(simulator.stats().requests).toBe(0)
    expect(await from(`http://${host}`)).toMatchObject({ status: 200 })
    const behindTls = { ...json, host: 'localhost:443', origin: 'https://localhost' }
    expect(await sendRawRequest(url, '/stream', behindTls, asked)).toMatchObject({ status: 200 })
    const friend = await from('https://friend.example')
    expect(friend.status).toBe(200)
    expect(friend.headers).toMatchObject({ 'access-control-allow-origin': 'https://friend.example' })
  })

  it('S05 a configured token is required, and accepted only in the Authorization header', async () => {
    const { url, simulator, getStderr } = await startServe(['--token', 'env:SERVE_TOKEN'], {
      env: { SERVE_TOKEN: token },
    })
    const by = (path: string, authorization?: string) =>
      sendRawRequest(url, path, { ...json, ...(authorization !== undefined && { authorization }) }, asked)
    for (const wrong of [
      undefined,
      'Bearer ',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Basic ${token}`,
    ])
      expect(await by('/stream', wrong), wrong).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': 'Bearer' },
      })
    expect(await by(`/stream?token=${token}`)).toMatchObject({ status: 401 })
    expect(await sendRawRequest(url, '/metrics')).toMatchObject({ status: 401 })
    expect(simulator.stats().requests).toBe(0)
    expect(await by('/stream', `Bearer ${token}`)).toMatchObject({ status: 200 })
    expect(await sendRawRequest(url, '/healthz')).toMatchObject({ status: 200 })
    expect(getStderr()).not.toContain(token)
  })
})

describe('a request', () => {
  it('S06 a body over the limit gets a 413, with or without a Content-Length', async () => {
    const { url, post, simulator } = await startServe()
    const large = `{"prompt":"${'x'.repeat(60_000_000)}"}`
    expect((await post(large)).status).toBe(413)
    const chunked = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000_000)),
    })
    const response = await fetch(`${url}/stream`, {
      method: 'POST',
      headers: json,
      body: chunked,
      duplex: 'half',
    } as RequestInit).catch((error: Error) => error)
    // The connection may be closed before the client has read the response.
    if (response instanceof Response) expect(response.status).toBe(413)
    expect(simulator.stats().requests).toBe(0)
    expect((await post(question)).status).toBe(200)
  })

  it('S12 no path serves a file', async () => {
    const { url } = await startServe()
    for (const path of [
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/prompts',
      '//etc/passwd',
      '/stream',
    ])
      expect(await sendRawRequest(url, path), path).toMatchObject({
        status: 404,
        body: expect.stringContaining('not_found'),
      })
  })

  it.each([
    './mine.yaml',
    '../mine',
    '/etc/passwd',
    '*.yaml',
    'mine.yaml',
    'summarize@v99',
    'nobody',
    'broken',
    'a'.repeat(300),
    '',
  ])('S14 the prompt %j is refused, and the response reveals nothing about this machine', async (prompt) => {
    const files = { 'mine.yaml': 'versions: {}', 'prompts/broken.yaml': 'versions: [' }
    const { post, simulator } = await startServe([], { files })
    const response = await post({ text: 'What floats?', prompt })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toMatch(/prompts\/|\/tmp|shipped|line/)
    expect(simulator.stats().requests).toBe(0)
  })

  it('S15 an invalid body gets a 400', async () => {
    const { post, url, simulator } = await startServe()
    const bodies = [
      '',
      'null',
      '[]',
      '"text"',
      '{',
      '{"prompt":1}',
      '{"prompt":""}',
      '{"text":"  "}',
      '{"text":["a"]}',
      '{"text":"a","prompt":{"a":1}}',
      '{"prompt":"a","model":"opus"}',
      '{"__proto__":{"text":"a"}}',
      '{"constructor":{"prototype":{"text":"a"}}}',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `{"prompt":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_001)}`,
    ]
    for (const body of bodies) {
      const response = await post(body)
      expect([body.slice(0, 40), response.status]).toEqual([body.slice(0, 40), 400])
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request' } })
    }
    expect(await sendRawRequest(url, '/stream', { 'content-type': 'text/plain' }, asked)).toMatchObject({
      status: 415,
    })
    expect(simulator.stats().requests).toBe(0)
  })

  it('S15 a body that is not UTF-8, or declares another encoding, is refused', async () => {
    const { url, simulator } = await startServe()
    const latin1 = Buffer.from('{"prompt":"caf\xe9"}', 'latin1')
    const sent = async (body: Buffer, headers: Record<string, string>) => {
      const { status } = await fetch(`${url}/stream`, { method: 'POST', body, headers })
      return status
    }
    expect(await sent(latin1, json)).toBe(400)
    expect(await sent(latin1, { 'content-type': 'application/json; charset=iso-8859-1' })).toBe(415)
    const utf16 = Buffer.from(question, 'utf16le')
    expect(await sent(utf16, { 'content-type': 'application/json; charset=utf-16' })).toBe(415)
    expect(await sent(Buffer.from(question), { ...json, 'content-encoding': 'gzip' })).toBe(415)
    expect(simulator.stats().requests).toBe(0)
    expect(await sent(Buffer.from(question), { 'content-type': 'application/json; charset=UTF-8' })).toBe(200)
  })

  it.each([
    ['with a length', `Content-Length: 1000\r\n\r\n{"prompt"`],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"pro\r\n'],
  ])(
    'S07 a client that disconnects while it sends a body %s causes no error and no API request',
    async (_name, rest) => {
      const { url, post, getStderr, simulator } = await startServe()
      const quiet = getStderr()
      for (const leave of ['destroy', 'end', 'resetAndDestroy'] as const) {
        const socket = connect(Number(new URL(url).port), '127.0.0.1')
        socket.on('error', () => {})
        socket.write(`POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${rest}`)
        // Once a later request is answered, the server has started to read this one.
        await sendRawRequest(url, '/healthz')
        socket.resume()
        socket[leave]()
        await once(socket, 'close')
      }
      expect((await post(question)).status).toBe(200)
      expect([getStderr(), simulator.stats().requests]).toEqual([quiet, 1])
    },
  )

  it('S18 huge or contradictory headers are refused', async () => {
    const { url, post } = await startServe()
    const huge = `POST /stream HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`
    expect(await sendRawBytes(url, huge)).toMatch(/^HTTP\/1.1 431 /)
    const twice =
      'POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    expect(await sendRawBytes(url, twice)).toMatch(/^HTTP\/1.1 400 /)
    expect((await post(question)).status).toBe(200)
  })
})

describe('a response', () => {
  it('S13 text from the model cannot forge an event', async () => {
    const nasty = 'one\n\ndata: {"done": true}\n\nevent: shutdown\r\n: beat\u2028\ud83d'
    const { post } = await startServe([], {
      service: { script: () => ({ kind: 'answer', delayMs: 1, text: nasty }) },
    })
    const events = await readAllEvents(await post({ prompt: 'What floats?' }))
    expect(events.map(({ text }) => text ?? '').join('')).toBe(nasty.replace('\ud83d', '\ufffd'))
    expect(events.filter(({ done }) => done)).toEqual([events.at(-1)])
  })

  it.each([
    [400, 400, 'invalid_request_error'],
    [413, 413, 'request_too_large'],
    [401, 502, 'provider_rejected'],
    [403, 502, 'provider_rejected'],
    [404, 502, 'provider_rejected'],
    [500, 502, 'api_error'],
    [529, 503, 'overloaded_error'],
  ])(
    'S16 a %i of the API becomes a %i, and the response reveals nothing about the setup',
    async (status, here, type) => {
      const { post, getStderr } = await startServe(['--retries', '0'], {
        service: { script: () => ({ kind: 'status', status, message: 'Refused: sk-ant-test-0123456789.' }) },
      })
      const response = await post({ prompt: 'What floats?' })
      expect(response.status).toBe(here)
      const body = await response.text()
      expect(JSON.parse(body)).toMatchObject({ error: { type, request_id: expect.stringContaining('req_') } })
      expect(body + getStderr()).not.toMatch(/sk-ant|floats|\.js:/)
      expect(getStderr()).not.toBe('')
      expect(body).not.toMatch(/ANTHROPIC|127\.0\.0\.1/)
    },
  )

  it('S16 an error after the first word is sent as an event, and the request is not retried', async () => {
    const { post, answer, simulator } = await held()
    const response = await Promise.all([post({ prompt: 'What floats?' }), answer.send(textDelta('Boats'))])
    await answer.send(overloaded)
    expect(await readAllEvents(response[0])).toEqual([
      { text: 'Boats' },
      { error: { type: 'overloaded_error', message: 'the API failed with a transient error; retry later' } },
    ])
    expect(simulator.stats().requests).toBe(1)
  })

  it('S16 a request that fails before the first word is retried', async () => {
    const { post, answer, simulator } = await held()
    const response = await Promise.all([post({ prompt: 'What floats?' }), answer.send(overloaded)])
    expect((await readAllEvents(response[0])).at(-1)).toMatchObject({ done: true })
    expect(simulator.stats().requests).toBe(2)
  })

  it('S08 a client that reads nothing blocks no other client, and its buffer is bounded', async () => {
    const { url, answer, post } = await held('--concurrency', '1')
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.write(
      `POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${question.length}\r\n\r\n${question}`,
    )
    socket.pause()
    const piece = textDelta('x'.repeat(100_000))
    const sending = (async () => {
      for (let n = 0; n < 140; n++) await answer.send(piece)
    })()
    await answer.clientClosed
    await sending
    expect((await post({ prompt: 'And now?' })).status).toBe(200)
    socket.destroy()
  })

  it.each(['before', 'after'])(
    'S09 a client that disconnects %s the first word aborts the request to the API',
    async (when) => {
      const { post, answer, simulator, url } = await held()
      const leave = new AbortController()
      const response = post({ prompt: 'What floats?' }, { signal: leave.signal }).catch(() => {})
      await vi.waitUntil(() => simulator.stats().requests === 1, longWait)
      if (when === 'after') {
        await answer.send(textDelta('Boats'))
        await response
      }
      leave.abort()
      await answer.clientClosed
      const metrics = async () => (await sendRawRequest(url, '/metrics')).body
      await vi.waitFor(
        async () => expect(await metrics()).toContain('requests_total{outcome="cancelled"} 1'),
        longWait,
      )
      expect(await metrics()).toContain('requests_in_flight 0')
    },
  )

  it('S09 a client that disconnects in the queue is removed, even if another one is in front of it', async () => {
    const { post, url } = await startServe(['--rpm', '1'])
    const metrics = async () => (await sendRawRequest(url, '/metrics')).body
    const inFlight = (count: number) =>
      vi.waitFor(async () => expect(await metrics()).toContain(`requests_in_flight ${count}\n`), longWait)
    expect((await readAllEvents(await post({ prompt: 'One?' }))).at(-1)).toMatchObject({ done: true })
    const leaving = [new AbortController(), new AbortController()] as const
    const posts = leaving.map(async ({ signal }, n) => {
      await inFlight(n)
      return post({ prompt: 'Another?' }, { signal })
    })
    for (const gone of posts) gone.catch(() => {})
    await inFlight(2)
    leaving[1].abort()
    await inFlight(1)
    expect(await metrics()).toContain('requests_total{outcome="cancelled"} 1')
    leaving[0].abort()
    await inFlight(0)
  })

  it('S11 a request beyond the queue limit gets a 503 with Retry-After', async () => {
    const { post, answer } = await held('--concurrency', '1', '--max-queue', '1')
    const [first, second] = [post({ prompt: 'One?' }), post({ prompt: 'Two?' })]
    await vi.waitFor(async () => {
      const third = await post({ prompt: 'Three?' }, { signal: AbortSignal.timeout(200) })
      expect([third.status, third.headers.get('retry-after')]).toEqual([503, '5'])
      expect(await third.json()).toMatchObject({ error: { type: 'queue_full' } })
    }, longWait)
    await answer.send(textDelta('Boats') + end)
    for (const response of [await first, await second])
      expect((await readAllEvents(response)).at(-1)).toMatchObject({ done: true })
  })
})

describe('start and shutdown', () => {
  it('S10 a port in use is reported in one line, with exit 6', async () => {
    const { url } = await startServe()
    const cwd = await createFolder({})
    const { code, stderr } = await runInProcess(['serve', '--simulate', '--port', new URL(url).port], {
      cwd,
      env: {},
    })
    expect([code, stderr.trim().split('\n')]).toEqual([6, [expect.stringContaining('--port')]])
  })

  it('S17 SIGTERM ends the server after the open streams have finished', async () => {
    const {
      post,
      answer,
      sendSignal: signal,
      exitCode: ended,
      url,
      getStderr: told,
    } = await held('--concurrency', '1')
    const first = post({ prompt: 'One?' })
    await answer.send(textDelta('Boats'))
    const events = readEvents(await first)
    expect((await events.next()).value).toEqual({ text: 'Boats' })
    const second = post({ prompt: 'Two?' })
    await vi.waitFor(
      async () => expect((await sendRawRequest(url, '/metrics')).body).toContain('waiting 1'),
      longWait,
    )
    signal('SIGTERM')
    const refused = await second
    expect([refused.status, ((await refused.json()) as { error: { type: string } }).error.type]).toEqual([
      503,
      'shutting_down',
    ])
    await expect(post({ prompt: 'Three?' })).rejects.toThrow()
    await answer.send(textDelta(' float.') + end)
    const rest: unknown[] = []
    for await (const event of events) rest.push(event)
    expect(rest).toEqual([{ text: ' float.' }, { done: true, usage: { input: 9, output: 2 } }])
    expect(await ended).toBe(143)
    expect(told()).toContain('stopping')
  })

  it('S17 a stream that is cut off by a second SIGTERM ends with an error event', async () => {
    const { post, answer, sendSignal: signal, exitCode: ended, getStderr: told } = await held()
    const first = post({ prompt: 'One?' })
    await answer.send(textDelta('Boats'))
    const response = await first
    // Repeated, because signals within half a second count as one.
    const again = setInterval(() => signal('SIGTERM'), 50)
    onTestFinished(() => clearInterval(again))
    expect(await readAllEvents(response)).toEqual([
      { text: 'Boats' },
      { error: { type: 'shutting_down', message: 'the server is stopping' } },
    ])
    expect(await ended).toBe(143)
    expect(told()).not.toMatch(/bug|Error/)
  })
})
