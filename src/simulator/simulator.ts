import { hash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ApiError, sendError } from './api-error.ts'
import type { Message } from './api-message.ts'
import { applyBehaviour } from './apply-behaviour.ts'
import { countOutputTokens } from './create-message.ts'
import { createSeededScript, type FaultRates, type Latency, type Script } from './script.ts'
import { servedModels } from './served-models.ts'
import { createServerLimiter, type Limits } from './server-limiter.ts'
import {
  type BatchStats,
  createSimulatedBatches,
  type SimulatedBatchesOptions,
  toBatchFault,
} from './simulated-batches.ts'
import { type MessageRequest, validateRequest } from './validate-request.ts'

export interface SimulatorOptions {
  /** 0, the default, is any free one. */
  readonly port?: number
  readonly limits?: Limits
  readonly latency?: Latency
  readonly faults?: FaultRates
  readonly seed?: number
  /** False: like a proxy that strips the `anthropic-ratelimit-*` headers. */
  readonly rateLimitHeaders?: boolean
  /** What befalls Message Batches. */
  readonly batches?: SimulatedBatchesOptions
  /** Decides about every valid request, instead of latency, faults and seed. */
  readonly script?: Script
}

/** What the service saw and what it would bill. */
interface SimulatorStats {
  readonly requests: number
  readonly byStatus: ReadonlyMap<number, number>
  /** Sockets that were opened. */
  readonly connections: number
  readonly inFlight: number
  readonly maxInFlight: number
  /** Requests whose client hung up before the end. */
  readonly aborted: number
  readonly billed: Billed
  /** When each `POST /v1/messages` came: monotonic milliseconds since the start. */
  readonly requestTimes: readonly number[]
  readonly batches: BatchStats
  /** What requests of batches came to, at half the price; not in `billed`. */
  readonly batchBilled: Billed
  /** How often each prompt was billed, live or in a batch, as the last key of `prompts`. */
  readonly billedPrompts: ReadonlyMap<string, number>
  /** How often each prompt was sent, by the SHA-256 of the last message's text. */
  readonly prompts: ReadonlyMap<string, number>
}

interface Billed {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
}

export interface Simulator {
  readonly url: string
  stats(): SimulatorStats
  /** At once: open connections are cut. */
  close(): Promise<void>
}

const maxBodyBytes = 32_000_000

/** Starts a Messages API on the loopback address of this machine: real HTTP, real limits, extractive summaries. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const script =
    options.script ?? createSeededScript(options.faults ?? {}, options.seed ?? 1, options.latency ?? {})
  const startedAt = performance.now()
  const limiter = createServerLimiter(options.limits ?? {}, startedAt)
  const byStatus = new Map<number, number>()
  const prompts = new Map<string, number>()
  const requestTimes: number[] = []
  const billed = { requests: 0, inputTokens: 0, outputTokens: 0 }
  const batchBilled = { ...billed }
  const billedPrompts = new Map<string, number>()
  let [requests, connections, inFlight, maxInFlight, aborted, answeredCount, responseCount] = [
    0, 0, 0, 0, 0, 0, 0,
  ]

  const createIdentityHeaders = () => ({
    'request-id': `req_sim${String(++responseCount).padStart(8, '0')}`,
    'anthropic-organization-id': '00000000-0000-0000-0000-000000000000',
  })
  const createHeaders = () => ({
    ...createIdentityHeaders(),
    ...(options.rateLimitHeaders !== false && limiter.formatHeaders(performance.now(), Date.now())),
  })
  const chargeMessage = (request: MessageRequest, message: Message) => {
    limiter.chargeOutput(addToBill(billed, request, message), performance.now())
  }
  const addToBill = (totals: typeof billed, request: MessageRequest, message: Message) => {
    const tokens = countOutputTokens(message)
    totals.requests++
    totals.inputTokens += request.inputTokens
    totals.outputTokens += tokens
    increment(billedPrompts, hashPrompt(request))
    return tokens
  }
  const batchFaultScript = createSeededScript(options.faults ?? {}, (options.seed ?? 1) + 1, { medianMs: 0 })
  const batches = createSimulatedBatches({
    options: { chooseFault: () => toBatchFault(batchFaultScript(placeholderRequest)), ...options.batches },
    seed: options.seed ?? 1,
    script,
    // The limits of batches are others, and not told.
    headers: createIdentityHeaders,
    onMessage: (request, message) => void addToBill(batchBilled, request, message),
  })

  const handleRequest = async (
    incoming: IncomingMessage,
    response: ServerResponse,
    disconnected: AbortSignal,
  ) => {
    const fail = (error: ApiError) => sendError(response, createHeaders(), error)
    const path = (incoming.url ?? '').replace(/\?.*$/, '')
    if (incoming.headers.authorization === undefined && incoming.headers['x-api-key'] === undefined) {
      return fail({ status: 401, message: 'x-api-key header is required' })
    }
    const model = incoming.method === 'GET' ? /^\/v1\/models(?:\/(.+))?$/.exec(path) : null
    if (model !== null) return sendModels(response, model[1], fail)
    if (await batches.handle(path, incoming, response)) return
    const endpoint = incoming.method === 'POST' ? endpoints.get(path) : undefined
    if (endpoint === undefined) return fail({ status: 404, message: 'Not found' })
    if (endpoint === 'messages') {
      requests++
      requestTimes.push(performance.now() - startedAt)
    }
    const body = await readJsonBody(incoming)
    if (body === undefined) return fail({ status: 413, message: 'Request exceeds the maximum size' })
    const request = validateRequest(body, endpoint)
    if ('status' in request) return fail(request)
    if (endpoint === 'count_tokens') return sendBody(response, { input_tokens: request.inputTokens })

    increment(prompts, hashPrompt(request))
    const limited = limiter.admit(request.inputTokens, performance.now())
    if (limited !== undefined) {
      const message = `This request would exceed your rate limit of ${limited.limit} per minute.`
      const wait = String(Math.max(1, Math.ceil(limited.waitMs / 1000)))
      return fail({ status: 429, message, headers: { 'retry-after': wait } })
    }
    const index = answeredCount++
    const onMessage = (message: Message) => chargeMessage(request, message)
    return applyBehaviour(script({ index, request }), response, {
      request,
      index,
      headers: createHeaders,
      disconnected,
      onMessage,
    })
  }

  const server = createServer((incoming, response) => {
    const disconnected = new AbortController()
    let isServed = false
    maxInFlight = Math.max(maxInFlight, ++inFlight)
    response.on('close', () => {
      inFlight--
      // A connection that is cut here, as a fault, is none that the client hung up.
      if (!isServed && !response.writableFinished) aborted++
      disconnected.abort()
      if (response.headersSent)
        byStatus.set(response.statusCode, (byStatus.get(response.statusCode) ?? 0) + 1)
    })
    handleRequest(incoming, response, disconnected.signal).then(
      () => {
        isServed = true
      },
      (error: unknown) => {
        // The client hung up, which nobody needs to hear; anything else is a bug here, which somebody should.
        if (disconnected.signal.aborted || response.headersSent) return response.destroy()
        return sendError(response, createHeaders(), {
          status: 500,
          message: `bug in the simulator: ${String(error)}`,
        })
      },
    )
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
      batches: batches.stats(),
      batchBilled: { ...batchBilled },
      billedPrompts,
      requestTimes,
      prompts,
    }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function hashPrompt({ lastText }: MessageRequest): string {
  return hash('sha256', lastText)
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Faults by rate befall calls that have no prompt. */
const placeholderRequest = {
  index: 0,
  request: { model: '', max_tokens: 1, stream: false, text: '', lastText: '', inputTokens: 0 },
}

const endpoints: ReadonlyMap<string, 'messages' | 'count_tokens'> = new Map([
  ['/v1/messages', 'messages'],
  ['/v1/messages/count_tokens', 'count_tokens'],
])

function sendModels(response: ServerResponse, id: string | undefined, fail: (error: ApiError) => void): void {
  const entry = (id: string) => ({
    type: 'model',
    id,
    display_name: id,
    max_input_tokens: servedModels[id]?.context,
    max_tokens: servedModels[id]?.maxOutput,
  })
  if (id === undefined) sendBody(response, { data: Object.keys(servedModels).map(entry), has_more: false })
  else if (Object.hasOwn(servedModels, id)) sendBody(response, entry(id))
  else fail({ status: 404, message: `model: ${id}` })
}

function sendBody(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

/** The parsed body; undefined where it is too large, null where it is not JSON. */
async function readJsonBody(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming) {
    length += (chunk as Buffer).length
    if (length > maxBodyBytes) return undefined
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return null
  }
}
