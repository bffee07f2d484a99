import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Dispatcher, Pool as UndiciPool } from 'undici'
import buildConnector from 'undici/lib/core/connect.js'
import { parseHeaders } from 'undici/lib/core/util.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import type { Abortable } from './abortable.ts'
import { decodeBody } from './decode-body.ts'
import { IncomingBody, limitBody } from './incoming-body.ts'
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

/** A request with the headers and the body that are sent. */
export interface OutgoingRequest {
  readonly method: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: RequestInit['body']
  readonly signal: Abortable | undefined
}

/**
 * Sends a request. Replaces `fetch` for the SDK at a fraction of its cost: see `docs/performance.md`. It follows
 * no redirect, which would send the document to another host, and asks for no compression.
 * @param isUnbounded the body is read in chunks and may have any length
 */
export async function sendRequest(
  url: URL,
  { method, headers, body, signal }: OutgoingRequest,
  dispatcher: Dispatcher,
  isUnbounded = false,
): Promise<TransportResponse> {
  const response = new ResponseHandler(url.href, isUnbounded)
  response.onEnd = signal?.onAbort(() => response.abort(createAbortError())) ?? (() => {})
  try {
    if (signal?.isAborted()) throw createAbortError()
    dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: method as Dispatcher.HttpMethod,
        headers: [...headers, 'accept-encoding', 'identity'],
        body: (body ?? null) as string | null,
      },
      response,
    )
    return await response.promise
  } catch (error) {
    response.onEnd()
    if (signal?.isAborted()) throw createAbortError()
    const cause = new Error('request failed', { cause: error })
    if (!response.hasConnected) Object.assign(cause, { unsent: true })
    // The SDK drops the cause of an error if its message contains "timeout". Only the cause distinguishes a
    // connection that was never established from a request that may be billed, so it is nested one level
    // deeper.
    throw new Error('no response', { cause })
  }
}

function createAbortError(): DOMException {
  return new DOMException('it was aborted', 'AbortError')
}

/** Receives a response from undici. */
class ResponseHandler implements Dispatcher.DispatchHandler {
  /** Resolves with the response when its headers have arrived. */
  readonly promise: Promise<TransportResponse>
  /** Whether a connection was established. */
  hasConnected = false
  /** Called when nothing more arrives. */
  onEnd = () => {}
  readonly #url: string
  readonly #isUnbounded: boolean
  readonly #body: IncomingBody
  #resolve: (response: TransportResponse) => void = () => {}
  #reject: (reason: unknown) => void = () => {}
  #abortRequest: ((reason?: Error) => void) | undefined

  constructor(url: string, isUnbounded: boolean) {
    this.#url = url
    this.#isUnbounded = isUnbounded
    this.#body = new IncomingBody((reason) => this.abort(reason))
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Ends the request. undici itself would wait until a connection is established. */
  abort(reason: unknown): void {
    const error = reason instanceof Error ? reason : createAbortError()
    this.#abortRequest?.(error)
    this.onError(error)
  }

  onConnect(abort: (reason?: Error) => void): void {
    if (this.#body.hasEnded) {
      abort(createAbortError())
      return
    }
    this.hasConnected = true
    this.#abortRequest = abort
  }

  onHeaders(statusCode: number, headers: Buffer[], resume: () => void): boolean {
    if (statusCode < 200) return true
    this.#body.resume = resume
    const options = { isUnbounded: this.#isUnbounded }
    this.#resolve(new TransportResponse(this.#url, statusCode, parseHeaders(headers), this.#body, options))
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.#body.add(chunk)
  }

  onComplete(): void {
    this.onEnd()
    this.#body.end()
  }

  onError(error: Error): void {
    this.onEnd()
    this.#body.end(error)
    this.#reject(error)
  }
}

/** The parts of a `Response` that the SDK and this client use. */
class TransportResponse {
  readonly url: string
  readonly status: number
  readonly ok: boolean
  readonly headers: TransportHeaders
  readonly #incoming: IncomingBody
  readonly #isUnbounded: boolean
  #stream: (Readable & { getReader(): unknown }) | undefined

  constructor(
    url: string,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    incoming: IncomingBody,
    { isUnbounded }: { readonly isUnbounded: boolean },
  ) {
    this.url = url
    this.status = status
    this.ok = status >= 200 && status < 300
    this.headers = new TransportHeaders(headers)
    this.#incoming = incoming
    this.#isUnbounded = isUnbounded
  }

  /** The body as a stream, for everything that is not read as one text. */
  get body(): Readable & { getReader(): unknown } {
    if (this.#stream !== undefined) return this.#stream
    const stream = this.#incoming.toStream()
    const decoded = decodeBody(stream, this.#getEncodings())
    const limited = decoded === stream || this.#isUnbounded ? decoded : limitBody(maxReplyBytes, decoded)
    // The SDK reads the response to a token refresh with a reader, and all other responses as streams.
    this.#stream = Object.assign(limited, { getReader: () => Readable.toWeb(limited).getReader() })
    return this.#stream
  }

  /** @throws an error with undici's code if the body is longer than any reply */
  async text(): Promise<string> {
    if (this.#getEncodings() === null) return this.#incoming.readText(maxReplyBytes)
    return text(limitBody(maxReplyBytes, this.body))
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text()) as unknown
  }

  #getEncodings(): string | null {
    const isEmpty = this.status === 204 || this.headers.get('content-length') === '0'
    return isEmpty ? null : this.headers.get('content-encoding')
  }
}

/** Response headers. undici returns their names in lower case. */
class TransportHeaders {
  readonly #raw: Record<string, string | string[] | undefined>

  constructor(raw: Record<string, string | string[] | undefined>) {
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
