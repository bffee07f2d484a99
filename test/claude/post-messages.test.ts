import type { Dispatcher } from 'undici'
import { describe, expect, it } from 'vitest'
import { openAnthropicClient } from '../../src/claude/anthropic-client.ts'
import type { Deadline } from '../../src/claude/deadline.ts'
import { createPostMessages } from '../../src/claude/post-messages.ts'
import { withoutRetries } from '../../src/claude/sdk-client.ts'

const body = { model: 'claude-haiku-5-5', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }

const deadline: Deadline = {
  signal: new AbortController().signal,
  isAborted: () => false,
  onAbort: () => () => {},
  hasExpired: () => false,
  ms: 1000,
  renew() {},
}

/** Sends the body with the SDK. @returns what it would send */
async function sendWithSdk(env: Record<string, string>) {
  const sent: { url: string; headers: Record<string, string>; body: unknown }[] = []
  const fetch: typeof globalThis.fetch = async (url, init) => {
    sent.push({
      url: String(url),
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: init?.body,
    })
    return new Response('{}')
  }
  const context = { env, fetch, onSecret() {}, keySource: undefined, headers: { 'x-team': 'docs' } }
  const client = await openAnthropicClient(context)
  await withoutRetries(client, 60_000).post('/v1/messages', { body, stream: false }).asResponse()
  return { client, sent: sent[0] }
}

/** A dispatcher that answers each request. @param respond calls the handler of a request */
function createDispatcher(respond: (handler: Dispatcher.DispatchHandler) => void) {
  const requests: Dispatcher.DispatchOptions[] = []
  const dispatch: Dispatcher['dispatch'] = (options, handler) => {
    requests.push(options)
    handler.onConnect?.(() => {})
    respond(handler)
    return true
  }
  return { requests, connections: { getDispatcher: async () => ({ dispatch }) as Dispatcher } }
}

function respondWith(status: number, text: string) {
  return (handler: Dispatcher.DispatchHandler) => {
    handler.onHeaders?.(status, [Buffer.from('request-id'), Buffer.from('req_1')], () => {}, '')
    handler.onData?.(Buffer.from(text))
    handler.onComplete?.([])
  }
}

describe('createPostMessages', () => {
  it.each([
    ['a key', { ANTHROPIC_API_KEY: 'sk-ant-1' }],
    ['a token', { ANTHROPIC_AUTH_TOKEN: 'token-1' }],
    [
      'another base URL',
      { ANTHROPIC_API_KEY: 'sk-ant-1', ANTHROPIC_BASE_URL: 'http://127.0.0.1:1/proxy/v1' },
    ],
    ['custom headers', { ANTHROPIC_API_KEY: 'sk-ant-1', ANTHROPIC_CUSTOM_HEADERS: 'x-cost-center: 7' }],
  ])('sends what the SDK sends, with %s', async (_name, env: Record<string, string>) => {
    const { client, sent } = await sendWithSdk(env)
    expect(client).toMatchObject({ hasConstantHeaders: true })
    const { requests, connections } = createDispatcher(respondWith(200, '{}'))
    const secrets: string[] = []
    const post = createPostMessages(client, 60_000, connections, (secret) => secrets.push(secret), [])
    await post(body, deadline, false).asResponse()
    const [{ origin, path, method, headers, body: sentBody } = {} as Dispatcher.DispatchOptions] = requests
    const list = headers as string[]
    const pairs = list.flatMap((name, n) => (n % 2 === 0 ? [[name, list[n + 1]]] : []))
    const { 'accept-encoding': encoding, ...others } = Object.fromEntries(pairs)
    expect({ url: `${origin}${path}`, headers: others, body: sentBody }).toEqual(sent)
    expect([method, encoding]).toEqual(['POST', 'identity'])
    expect(secrets).toContain(env['ANTHROPIC_API_KEY'] ?? env['ANTHROPIC_AUTH_TOKEN'])
  })

  it('leaves requests to the SDK if a profile or a program has the key', async () => {
    const keySource = { getKey: async () => 'sk-ant-1', replaceKey: async () => 'sk-ant-1' }
    const context = { fetch, onSecret() {}, headers: undefined }
    expect(await openAnthropicClient({ ...context, env: {}, keySource })).toMatchObject({
      hasConstantHeaders: false,
    })
    expect(await openAnthropicClient({ ...context, env: {}, keySource: undefined })).toMatchObject({
      hasConstantHeaders: false,
    })
  })

  it('throws the errors of the SDK', async () => {
    const { client } = await sendWithSdk({ ANTHROPIC_API_KEY: 'sk-ant-1' })
    const send = (respond: (handler: Dispatcher.DispatchHandler) => void) =>
      createPostMessages(
        client,
        60_000,
        createDispatcher(respond).connections,
        () => {},
        [],
      )(body, deadline, false).asResponse()
    const overloaded = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    await expect(send(respondWith(529, overloaded))).rejects.toMatchObject({
      status: 529,
      error: { error: { type: 'overloaded_error' } },
      requestID: 'req_1',
    })
    await expect(send(respondWith(502, '<html>'))).rejects.toMatchObject({
      status: 502,
      message: '502 <html>',
    })
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' })
    await expect(send((handler) => handler.onError?.(reset))).rejects.toMatchObject({
      status: undefined,
      cause: { cause: { cause: reset } },
    })
  })
})
