import { pipeline, Readable, Transform } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Dispatcher, Pool as UndiciPool } from 'undici'
import request from 'undici/lib/api/api-request.js'
import buildConnector from 'undici/lib/core/connect.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import { decodeBody } from './decode-body.ts'
import { withoutInterimResponses } from './interim-responses.ts'
import { findProxy, type Proxies } from './proxies.ts'

export interface ConnectionOptions {
  /** Until a connection stands: milliseconds. */
  readonly connectTimeoutMs: number
  /** Between two signs of life, and until the first: milliseconds. */
  readonly idleTimeoutMs: number
  readonly proxies: Proxies | undefined
  /** For bodies of hundreds of megabytes, both ways. */
  readonly isBulk?: boolean
}

/** No summary comes near this; an endless body must not fill the memory. Bytes. */
const maxReplyBytes = 16_000_000

export interface Connections {
  /** Returns what sends requests to a URL, directly or through the proxy that the URL is reached by. */
  getDispatcher(url: string): Promise<Dispatcher>
  /** Ends all connections immediately. */
  close(): Promise<void>
}

/** Keeps connections open and reuses them. Nothing is connected before the first request. */
export function createConnections({
  connectTimeoutMs,
  idleTimeoutMs,
  proxies,
  isBulk = false,
}: ConnectionOptions): Connections {
  const options = {
    // It counts from the beginning of a request, whose body may take far longer.
    headersTimeout: isBulk ? 0 : idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    maxResponseSize: isBulk ? -1 : maxReplyBytes,
  }
  const openDispatcher = async (proxy: string | undefined): Promise<Dispatcher> => {
    const timeout = connectTimeoutMs
    if (proxy === undefined)
      return new Agent({ ...options, connect: withoutInterimResponses(buildConnector({ timeout })) })
    const { Pool, ProxyAgent } = await import('undici')
    const factory = (origin: string | URL, given: UndiciPool.Options) =>
      new Pool(origin, {
        ...given,
        ...(typeof given.connect === 'function' && { connect: withoutInterimResponses(given.connect) }),
      })
    return new ProxyAgent({
      ...options,
      uri: proxy,
      connect: { timeout },
      factory,
      // A connection stands once the proxy has made it, which has timeouts of its own, of up to five minutes.
      proxyTls: { timeout },
      requestTls: { timeout },
      clientFactory: (origin: URL, own: object) => new Pool(origin, { ...own, headersTimeout: timeout }),
    })
  }
  /** By the URL of their proxy. */
  const dispatchersByProxy = new Map<string | undefined, Promise<Dispatcher>>()
  return {
    getDispatcher(url) {
      const proxy = proxies && findProxy(new URL(url), proxies)
      const dispatcher = dispatchersByProxy.get(proxy) ?? openDispatcher(proxy)
      dispatchersByProxy.set(proxy, dispatcher)
      return dispatcher
    },
    async close() {
      const dispatchers = await Promise.all(dispatchersByProxy.values())
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()))
    },
  }
}

/**
 * Stands in for `fetch` where the SDK wants one, at about half its cost: see `docs/performance.md`. No redirect is
 * followed, which would send the document to another host, and nothing compressed is asked for.
 * @param isUnbounded the body is read piece by piece, and may be of any length
 */
export async function sendRequest(
  url: string,
  init: Omit<RequestInit, 'headers' | 'dispatcher'> & { readonly headers: Headers },
  dispatcher: Dispatcher,
  isUnbounded = false,
): Promise<TransportResponse> {
  const { origin, pathname, search } = new URL(url)
  const tracked = trackConnection(dispatcher)
  try {
    const response = request.call(tracked.dispatcher, {
      origin,
      path: pathname + search,
      method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
      headers: [...init.headers, ['accept-encoding', 'identity']].flat(),
      body: (init.body ?? null) as string | null,
      signal: init.signal ?? null,
    })
    return new TransportResponse(url, await rejectOnAbort(response, init.signal), isUnbounded)
  } catch (error) {
    if (init.signal?.aborted) throw new DOMException('it was aborted', 'AbortError')
    const cause = new Error('request failed', { cause: error })
    if (!tracked.stood()) Object.assign(cause, { unsent: true })
    // The SDK drops the cause where it, or what it caused, says "timeout"; but only the cause tells a connection that
    // never stood from a request that may be billed. So it is handed over one step further down.
    throw new Error('no response', { cause })
  }
}

/** A dispatcher for one request, which knows whether a connection to send it over was ever there. */
function trackConnection(inner: Dispatcher) {
  let hasConnected = false
  const dispatch: Dispatcher['dispatch'] = (options, handler) => {
    const onConnect = handler.onConnect?.bind(handler)
    handler.onConnect = (abort) => {
      hasConnected = true
      onConnect?.(abort)
    }
    return inner.dispatch(options, handler)
  }
  return { dispatcher: { dispatch } as Dispatcher, stood: () => hasConnected }
}

/** undici heeds a signal only once there is a connection. */
async function rejectOnAbort<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return promise
  let onAbort = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** As much of a `Response` as the SDK and we make use of. */
class TransportResponse {
  readonly url: string
  readonly status: number
  readonly ok: boolean
  readonly headers: TransportHeaders
  readonly body: Body

  constructor(url: string, { statusCode, headers, body }: Dispatcher.ResponseData, isUnbounded: boolean) {
    this.url = url
    this.status = statusCode
    this.ok = statusCode >= 200 && statusCode < 300
    this.headers = new TransportHeaders(headers)
    const isEmpty = statusCode === 204 || this.headers.get('content-length') === '0'
    const decodedBody = isEmpty ? body : decodeBody(body, this.headers.get('content-encoding'))
    const limitedBody =
      decodedBody === body || isUnbounded ? decodedBody : limitBody(maxReplyBytes, decodedBody)
    // The SDK reads the answer to a refresh of a profile's token by a reader, and all others as they come.
    this.body = Object.assign(limitedBody, { getReader: () => Readable.toWeb(limitedBody).getReader() })
  }

  /** @throws an error with the code of undici for a body that is longer than any reply */
  text(): Promise<string> {
    return text(limitBody(maxReplyBytes, this.body))
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown
  }
}

type Body = Readable & { getReader(): unknown }

/** Ends a body in an error once it is longer than it may be: few bytes on the wire may decode to any number. */
function limitBody(maxBytes: number, body: Readable): Readable {
  let length = 0
  const limiter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      length += chunk.length
      if (length <= maxBytes) return done(null, chunk)
      const error = new Error(`the body is longer than ${maxBytes} bytes`)
      done(Object.assign(error, { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' }))
    },
  })
  pipeline(body, limiter, () => {})
  return limiter
}

/** Names are in lower case. */
class TransportHeaders {
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
