import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sendError } from './api-error.ts'
import { toBatchFault } from './batch-fault.ts'
import type { ReadPdf } from './read-citable-pdf.ts'
import { createRequestHandler, type RequestHandler } from './request-handler.ts'
import { createSeededScript, type FaultRates, type Latency, type Script } from './script.ts'
import { createServerLimiter, type Limits } from './server-limiter.ts'
import { createSimulatedBatches, type SimulatedBatchesOptions } from './simulated-batches.ts'
import { createStatsRecorder, type SimulatorStats, type StatsRecorder } from './stats-recorder.ts'

export interface SimulatorOptions {
  /** The port to listen on. Default: 0, any free port. */
  readonly port?: number
  readonly limits?: Limits
  readonly latency?: Latency
  readonly faults?: FaultRates
  readonly seed?: number
  /** False omits the `anthropic-ratelimit-*` headers, like a proxy that strips them. */
  readonly rateLimitHeaders?: boolean
  /** Durations, faults and results of Message Batches. */
  readonly batches?: SimulatedBatchesOptions
  /** Reads PDFs, so that answers can cite them. Default: none does. */
  readonly readPdf?: ReadPdf | undefined
  /** Decides how each valid request is answered, instead of latency, faults and seed. */
  readonly script?: Script
}

export interface Simulator {
  readonly url: string
  stats(): SimulatorStats
  /** Closes the server and all open connections immediately. */
  close(): Promise<void>
}

/** Starts a simulated Messages API on the loopback address: real HTTP, real limits, extractive summaries. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { faults = {}, seed = 1, latency = {}, readPdf } = options
  const script = options.script ?? createSeededScript(faults, seed, latency)
  const startedAt = performance.now()
  const limiter = createServerLimiter(options.limits ?? {}, startedAt)
  const stats = createStatsRecorder(startedAt)
  let responseCount = 0

  const createIdentityHeaders = () => ({
    'request-id': `req_sim${String(++responseCount).padStart(8, '0')}`,
    'anthropic-organization-id': '00000000-0000-0000-0000-000000000000',
  })
  const createHeaders = () => ({
    ...createIdentityHeaders(),
    ...(options.rateLimitHeaders !== false && limiter.formatHeaders(performance.now(), Date.now())),
  })
  const batchFaultScript = createSeededScript(faults, seed + 1, { medianMs: 0 })
  const batches = createSimulatedBatches({
    options: { chooseFault: () => toBatchFault(batchFaultScript(placeholderRequest)), ...options.batches },
    seed,
    script,
    readPdf,
    // Batches have separate limits, and the API sends no headers for them.
    headers: createIdentityHeaders,
    onMessage: stats.recordBatchMessage,
  })
  const handleRequest = createRequestHandler({ script, limiter, batches, stats, readPdf, createHeaders })
  const server = createServer(createListener(handleRequest, stats, createHeaders))
  server.on('connection', stats.recordConnection)
  // The real API keeps connections open for long too; the client decides when to close them.
  server.keepAliveTimeout = 60_000
  await listen(server, options.port ?? 0)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stats: () => ({ ...stats.getStats(), batches: batches.stats() }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A request without a prompt: batch calls have none, but the fault script expects one. */
const placeholderRequest = {
  index: 0,
  request: { model: '', max_tokens: 1, stream: false, text: '', lastText: '', inputTokens: 0 },
}

/** Serves requests and counts how they end. */
function createListener(
  handleRequest: RequestHandler,
  stats: StatsRecorder,
  createHeaders: () => Record<string, string>,
): RequestListener {
  return (incoming, response) => {
    const disconnected = new AbortController()
    let isServed = false
    stats.recordStart()
    response.on('close', () => {
      // A connection that the simulator itself cuts, as a fault, was not closed by the client.
      const isAborted = !isServed && !response.writableFinished
      disconnected.abort()
      stats.recordEnd(response.headersSent ? response.statusCode : undefined, isAborted)
    })
    handleRequest(incoming, response, disconnected.signal).then(
      () => {
        isServed = true
      },
      (error: unknown) => {
        // If the client hung up, this is not an error. Anything else is a bug in the simulator, which a test
        // should show.
        if (disconnected.signal.aborted || response.headersSent) return response.destroy()
        return sendError(response, createHeaders(), {
          status: 500,
          message: `bug in the simulator: ${String(error)}`,
        })
      },
    )
  }
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}
