import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import request from 'undici/lib/api/api-request.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import { type Proxies, proxyFor } from './proxies.ts'

export interface ConnectionOptions {
  /** Until a connection stands: milliseconds. */
  readonly connectTimeoutMs: number
  /** Between two signs of life, and until the first: milliseconds. */
  readonly idleTimeoutMs: number
  readonly proxies: Proxies | undefined
  /** For bodies of hundreds of megabytes, both ways. */
  readonly bulk?: boolean
}

/** No summary comes near this; an endless body must not fill the memory. Bytes. */
const longestReply = 16_000_000

export interface Connections {
  /** Returns what sends requests to a URL, directly or through the proxy that the URL is reached by. */
  to(url: string): Promise<Dispatcher>
  /** Ends all connections immediately. */
  close(): Promise<void>
}

/** Keeps connections open and reuses them. Nothing is connected before the first request. */
export function createConnections({
  connectTimeoutMs,
  idleTimeoutMs,
  proxies,
  bulk = false,
}: ConnectionOptions): Connections {
  const options = {
    connect: { timeout: connectTimeoutMs },
    // It counts from the beginning of a request, whose body may take far longer.
    headersTimeout: bulk ? 0 : idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    maxResponseSize: bulk ? -1 : longestReply,
  }
  const open = async (proxy: string | undefined): Promise<Dispatcher> => {
    if (proxy === undefined) return new Agent(options)
    const { Pool, ProxyAgent } = await import('undici')
    const timeout = connectTimeoutMs
    return new ProxyAgent({
      ...options,
      uri: proxy,
      // A connection stands once the proxy has made it, which has timeouts of its own, of up to five minutes.
      proxyTls: { timeout },
      requestTls: { timeout },
      clientFactory: (origin: URL, own: object) => new Pool(origin, { ...own, headersTimeout: timeout }),
    })
  }
  /** By the URL of their proxy. */
  const opened = new Map<string | undefined, Promise<Dispatcher>>()
  return {
    to(url) {
      const proxy = proxies && proxyFor(new URL(url), proxies)
      const dispatcher = opened.get(proxy) ?? open(proxy)
      opened.set(proxy, dispatcher)
      return dispatcher
    },
    async close() {
      const dispatchers = await Promise.all(opened.values())
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()))
    },
  }
}

/**
 * Stands in for `fetch` where the SDK wants one, at about half its cost: see `docs/performance.md`. No redirect is
 * followed, which would send the document to another host, and nothing compressed is asked for.
 */
export async function send(
  url: string,
  init: Omit<RequestInit, 'headers' | 'dispatcher'> & { readonly headers: Headers },
  dispatcher: Dispatcher,
): Promise<SentResponse> {
  const { origin, pathname, search } = new URL(url)
  const connection = watched(dispatcher)
  try {
    const answer = request.call(connection.dispatcher, {
      origin,
      path: pathname + search,
      method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
      headers: [...init.headers, ['accept-encoding', 'identity']].flat(),
      body: (init.body ?? null) as string | null,
      signal: init.signal ?? null,
    })
    return new SentResponse(url, await unlessAborted(answer, init.signal))
  } catch (error) {
    if (init.signal?.aborted) throw new DOMException('it was aborted', 'AbortError')
    const cause = new Error('request failed', { cause: error })
    if (!connection.stood()) Object.assign(cause, { unsent: true })
    // The SDK drops the cause where it, or what it caused, says "timeout"; but only the cause tells a connection that
    // never stood from a request that may be billed. So it is handed over one step further down.
    throw new Error('no response', { cause })
  }
}

/** A dispatcher for one request, which knows whether a connection to send it over was ever there. */
function watched(inner: Dispatcher) {
  let stood = false
  const dispatch: Dispatcher['dispatch'] = (options, handler) => {
    const onConnect = handler.onConnect?.bind(handler)
    handler.onConnect = (abort) => {
      stood = true
      onConnect?.(abort)
    }
    return inner.dispatch(options, handler)
  }
  return { dispatcher: { dispatch } as Dispatcher, stood: () => stood }
}

/** undici heeds a signal only once there is a connection. */
async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return answer
  let leave = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([answer, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** As much of a `Response` as the SDK and we make use of. */
class SentResponse {
  readonly url: string
  readonly status: number
  readonly ok: boolean
  readonly headers: SentHeaders
  readonly body: Body

  constructor(url: string, { statusCode, headers, body }: Dispatcher.ResponseData) {
    this.url = url
    this.status = statusCode
    this.ok = statusCode >= 200 && statusCode < 300
    this.headers = new SentHeaders(headers)
    // The SDK reads the answer to a refresh of a profile's token by a reader, and all others as they come.
    this.body = Object.assign(body, { getReader: () => Readable.toWeb(body).getReader() })
  }

  text(): Promise<string> {
    return this.body.text()
  }

  json(): Promise<unknown> {
    return this.body.json()
  }
}

type Body = Dispatcher.ResponseData['body']

/** Names are in lower case. */
class SentHeaders {
  readonly #raw: Dispatcher.ResponseData['headers']

  constructor(raw: Dispatcher.ResponseData['headers']) {
    this.#raw = raw
  }

  get(name: string): string | null {
    return this.#raw[name.toLowerCase()]?.toString() ?? null
  }

  entries(): [string, string][] {
    return Object.entries(this.#raw).map(([name, value]) => [name, String(value)])
  }
}
