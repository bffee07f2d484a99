import { pipeline, Readable, Transform } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Dispatcher, Pool as UndiciPool } from 'undici'
import request from 'undici/lib/api/api-request.js'
import buildConnector from 'undici/lib/core/connect.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import { decodeBody } from './decode-body.ts'
import { withoutInterimResponses } from './interim-responses.ts'
import { findProxy, type Proxies } from './proxies.ts'
import { withFinalErrors } from './proxy-connector.ts'

export interface ConnectionOptions {
  /** The longest time until a connection is established, in milliseconds. */
  readonly connectTimeoutMs: number
  /** The longest time without a byte from the server, in milliseconds. */
  readonly idleTimeoutMs: number
  readonly proxies: Proxies | undefined
  /** Allows requests and responses of hundreds of megabytes. */
  readonly isBulk?: boolean
}

/** Bytes; far more than any summary. An endless body must not fill the memory. */
const maxReplyBytes = 16_000_000

export interface Connections {
  /** Returns the dispatcher for a URL, with or without a proxy. */
  getDispatcher(url: string): Promise<Dispatcher>
  /** Closes all connections immediately. */
  close(): Promise<void>
}

/**
 * Returns a pool of connections that are kept open and reused. It connects only when the first request is
 * sent.
 */
export function createConnections({
  connectTimeoutMs,
  idleTimeoutMs,
  proxies,
  isBulk = false,
}: ConnectionOptions): Connections {
  const options = {
    // undici starts this timer at the beginning of a request, whose body may take far longer to send.
    headersTimeout: isBulk ? 0 : idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    maxResponseSize: isBulk ? -1 : maxReplyBytes,
  }
  const openDispatcher = async (proxy: string | undefined): Promise<Dispatcher> => {
    const timeout = connectTimeoutMs
    if (proxy === undefined)
      return new Agent({ ...options, connect: withoutInterimResponses(buildConnector({ timeout })) })
    const [{ default: Pool }, { default: ProxyAgent }, { default: openTunnel }] = await Promise.all([
      import('undici/lib/dispatcher/pool.js'),
      import('undici/lib/dispatcher/proxy-agent.js'),
      import('undici/lib/api/api-connect.js'),
    ])
    const factory = (origin: string | URL, given: UndiciPool.Options) =>
      new Pool(origin, {
        ...given,
        ...(typeof given.connect === 'function' && {
          connect: withFinalErrors(withoutInterimResponses(given.connect)),
        }),
      })
    return new ProxyAgent({
      ...options,
      uri: proxy,
      connect: { timeout },
      factory,
      // The proxy establishes the connection, and undici's timeouts for that are up to five minutes.
      proxyTls: { timeout },
      requestTls: { timeout },
      // Only undici's entry point, which is not loaded, gives dispatchers a `connect`.
      clientFactory: (origin: URL, own: object) =>
        Object.assign(new Pool(origin, { ...own, headersTimeout: timeout }), { connect: openTunnel }),
    })
  }
  /** Dispatchers by the URL of their proxy; undefined without a proxy. */
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
 * Sends a request. Replaces `fetch` for the SDK at about half its cost: see `docs/performance.md`. It follows
 * no redirect, which would send the document to another host, and asks for no compression.
 * @param isUnbounded the body is read in chunks and may have any length
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
    if (!tracked.hasConnected()) Object.assign(cause, { unsent: true })
    // The SDK drops the cause of an error if its message contains "timeout". Only the cause distinguishes a
    // connection that was never established from a request that may be billed, so it is nested one level
    // deeper.
    throw new Error('no response', { cause })
  }
}

/** Returns a dispatcher for one request, which records whether a connection was established. */
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
  return { dispatcher: { dispatch } as Dispatcher, hasConnected: () => hasConnected }
}

/** Rejects when the signal aborts. undici checks the signal only after a connection was established. */
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

/** The parts of a `Response` that the SDK and this client use. */
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
    // The SDK reads the response to a token refresh with a reader, and all other responses as streams.
    this.body = Object.assign(limitedBody, { getReader: () => Readable.toWeb(limitedBody).getReader() })
  }

  /** @throws an error with undici's code if the body is longer than any reply */
  text(): Promise<string> {
    return text(limitBody(maxReplyBytes, this.body))
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown
  }
}

type Body = Readable & { getReader(): unknown }

/**
 * Limits the length of a body; a longer one ends with an error. A few compressed bytes may decode to any
 * length.
 */
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

/** Response headers. undici returns their names in lower case. */
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

  /** Makes `new Headers(headers)` copy the headers. */
  [Symbol.iterator](): Iterator<[string, string]> {
    return this.entries()[Symbol.iterator]()
  }
}
