import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createLimiter, type Limits } from './limiter.ts'
import { messageFor, outputTokens } from './message.ts'
import { models } from './models.ts'
import { type Break, sendJson, sendStream } from './respond.ts'
import { type Behaviour, type FaultRates, type Latency, type Script, seededScript } from './script.ts'
import { type MessageRequest, validate } from './validate.ts'

export interface SimulatorOptions {
  /** 0, the default, is any free one. */
  readonly port?: number
  readonly limits?: Limits
  readonly latency?: Latency
  readonly faults?: FaultRates
  readonly seed?: number
  /** False: like a proxy that strips the `anthropic-ratelimit-*` headers. */
  readonly rateLimitHeaders?: boolean
  /** Decides about every valid request, instead of latency, faults and seed. */
  readonly script?: Script
}

/** What the service saw and what it would bill. */
export interface SimulatorStats {
  readonly requests: number
  readonly byStatus: ReadonlyMap<number, number>
  /** Sockets that were opened. */
  readonly connections: number
  readonly inFlight: number
  readonly maxInFlight: number
  /** Requests whose client hung up before the end. */
  readonly aborted: number
  readonly billed: { readonly requests: number; readonly inputTokens: number; readonly outputTokens: number }
  /** When each `POST /v1/messages` came: monotonic milliseconds since the start. */
  readonly starts: readonly number[]
  /** How often each prompt was sent, by the SHA-256 of the last message's text. */
  readonly prompts: ReadonlyMap<string, number>
}

export interface Simulator {
  readonly url: string
  stats(): SimulatorStats
  /** At once: open connections are cut. */
  close(): Promise<void>
}

const largestBody = 32_000_000

/** Starts a Messages API on the loopback address of this machine: real HTTP, real limits, extractive summaries. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const script =
    options.script ?? seededScript(options.faults ?? {}, options.seed ?? 1, options.latency ?? {})
  const began = performance.now()
  const limiter = createLimiter(options.limits ?? {}, began)
  const byStatus = new Map<number, number>()
  const prompts = new Map<string, number>()
  const starts: number[] = []
  const billed = { requests: 0, inputTokens: 0, outputTokens: 0 }
  let [requests, connections, inFlight, maxInFlight, aborted, answered, responses] = [0, 0, 0, 0, 0, 0, 0]

  const headers = () => ({
    'request-id': `req_sim${String(++responses).padStart(8, '0')}`,
    'anthropic-organization-id': '00000000-0000-0000-0000-000000000000',
    ...(options.rateLimitHeaders !== false && limiter.headers(performance.now(), Date.now())),
  })
  const fail = (
    response: ServerResponse,
    status: number,
    type: string,
    message: string,
    more: { code?: string; headers?: Record<string, string>; body?: string } = {},
  ) => {
    const sent = headers()
    const error = { type, message, ...(more.code !== undefined && { details: { error_code: more.code } }) }
    response.writeHead(status, { ...sent, 'content-type': 'application/json', ...more.headers })
    response.end(more.body ?? JSON.stringify({ type: 'error', error, request_id: sent['request-id'] }))
  }
  const bill = (request: MessageRequest, text: string) => {
    billed.requests++
    billed.inputTokens += request.inputTokens
    billed.outputTokens += outputTokens(text)
    limiter.produced(outputTokens(text), performance.now())
  }

  const message = async (response: ServerResponse, request: MessageRequest, gone: AbortSignal) => {
    const limited = limiter.admit(request.inputTokens, performance.now())
    if (limited !== undefined) {
      const wait = { 'retry-after': String(Math.max(1, Math.ceil(limited.waitMs / 1000))) }
      return fail(
        response,
        429,
        'rate_limit_error',
        `This request would exceed your rate limit of ${limited.limit} per minute.`,
        { headers: wait },
      )
    }
    const index = answered++
    const behaviour = script({ index, request })
    const wait = (ms: number) => delay(Math.min(ms, 2 ** 31 - 1), undefined, { signal: gone })
    switch (behaviour.kind) {
      case 'status':
        await wait(behaviour.delayMs ?? 0)
        return fail(
          response,
          behaviour.status,
          behaviour.type ?? errorTypes.get(behaviour.status) ?? 'api_error',
          behaviour.message ?? `simulated ${behaviour.status}`,
          behaviour,
        )
      case 'raw':
        response.writeHead(behaviour.status, behaviour.headers)
        response.end(behaviour.body)
        return
      case 'stall':
        if (!behaviour.afterHeaders) return wait(Number.POSITIVE_INFINITY)
        break
      case 'reset':
        if (behaviour.inBody) break
        await wait(behaviour.delayMs)
        response.socket?.resetAndDestroy()
        return
      case 'mid-stream-error':
        if (request.stream) break
        await wait(behaviour.delayMs)
        return fail(response, 529, behaviour.type, 'Overloaded')
      case 'answer':
      case 'truncate':
        break
    }
    const broken = breakOf(behaviour)
    const answer = messageFor(request, index, behaviour.kind === 'answer' ? behaviour : {})
    // Whatever was produced is billed, also where the connection then breaks.
    bill(request, answer.content.map((block) => (block as { text?: string }).text ?? '').join(''))
    const send = request.stream ? sendStream : sendJson
    const overMs = 'delayMs' in behaviour ? (behaviour.delayMs ?? 0) : 0
    return send(response, answer, {
      headers: headers(),
      overMs,
      wait,
      ...(broken !== undefined && { broken }),
    })
  }

  const serve = async (incoming: IncomingMessage, response: ServerResponse, gone: AbortSignal) => {
    const path = (incoming.url ?? '').replace(/\?.*$/, '')
    if (incoming.headers.authorization === undefined && incoming.headers['x-api-key'] === undefined) {
      return fail(response, 401, 'authentication_error', 'x-api-key header is required')
    }
    if (incoming.method === 'GET' && path.startsWith('/v1/models'))
      return listModels(response, path.slice('/v1/models/'.length), fail)
    const endpoint = incoming.method === 'POST' ? endpoints.get(path) : undefined
    if (endpoint === undefined) return fail(response, 404, 'not_found_error', 'Not found')
    if (endpoint === 'messages') {
      requests++
      starts.push(performance.now() - began)
    }
    const body = await bodyOf(incoming)
    if (body === undefined)
      return fail(response, 413, 'request_too_large', 'Request exceeds the maximum size')
    const request = validate(body, endpoint)
    if ('status' in request) return fail(response, request.status, request.type, request.message)
    if (endpoint === 'count_tokens') {
      response.writeHead(200, { ...headers(), 'content-type': 'application/json' })
      response.end(JSON.stringify({ input_tokens: request.inputTokens }))
      return
    }
    const key = createHash('sha256').update(request.lastText).digest('hex')
    prompts.set(key, (prompts.get(key) ?? 0) + 1)
    return message(response, request, gone)
  }

  const server = createServer((incoming, response) => {
    const gone = new AbortController()
    maxInFlight = Math.max(maxInFlight, ++inFlight)
    response.on('close', () => {
      inFlight--
      if (!response.writableFinished) aborted++
      gone.abort()
      byStatus.set(response.statusCode, (byStatus.get(response.statusCode) ?? 0) + 1)
    })
    // Whatever goes wrong here is the client hanging up.
    serve(incoming, response, gone.signal).catch(() => response.destroy())
  })
  server.on('connection', () => connections++)
  // The real service keeps connections open for long too; the client decides.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stats: () => ({
      requests,
      byStatus,
      connections,
      inFlight,
      maxInFlight,
      aborted,
      billed: { ...billed },
      starts,
      prompts,
    }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const endpoints: ReadonlyMap<string, 'messages' | 'count_tokens'> = new Map([
  ['/v1/messages', 'messages'],
  ['/v1/messages/count_tokens', 'count_tokens'],
])

const errorTypes = new Map([
  [400, 'invalid_request_error'],
  [401, 'authentication_error'],
  [402, 'billing_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [408, 'timeout_error'],
  [409, 'conflict_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [504, 'timeout_error'],
  [529, 'overloaded_error'],
])

function breakOf(behaviour: Behaviour): Break | undefined {
  if (behaviour.kind === 'mid-stream-error') return { error: behaviour.type }
  return behaviour.kind === 'reset' || behaviour.kind === 'stall' || behaviour.kind === 'truncate'
    ? behaviour.kind
    : undefined
}

function listModels(
  response: ServerResponse,
  id: string,
  fail: (response: ServerResponse, status: number, type: string, message: string) => void,
): void {
  const entry = (id: string) => ({
    type: 'model',
    id,
    display_name: id,
    max_input_tokens: models[id]?.context,
    max_tokens: models[id]?.maxOutput,
  })
  if (id !== '' && !Object.hasOwn(models, id)) {
    fail(response, 404, 'not_found_error', `model: ${id}`)
    return
  }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify(id === '' ? { data: Object.keys(models).map(entry), has_more: false } : entry(id)),
  )
}

/** The parsed body; undefined where it is too large, null where it is not JSON. */
async function bodyOf(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming) {
    length += (chunk as Buffer).length
    if (length > largestBody) return undefined
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return null
  }
}
