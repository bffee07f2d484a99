import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ApiError, sendError } from './api-error.ts'
import type { Message } from './api-message.ts'
import { applyBehaviour } from './apply-behaviour.ts'
import { type ReadPdf, readCitablePdf } from './read-citable-pdf.ts'
import { readJsonBody } from './read-json-body.ts'
import type { Script } from './script.ts'
import { sendBody } from './send-body.ts'
import { sendModels } from './send-models.ts'
import type { ServerLimiter } from './server-limiter.ts'
import type { SimulatedBatches } from './simulated-batches.ts'
import type { StatsRecorder } from './stats-recorder.ts'
import { validateRequest } from './validate-request.ts'

export interface RequestHandlerOptions {
  readonly script: Script
  readonly limiter: ServerLimiter
  readonly batches: SimulatedBatches
  readonly stats: StatsRecorder
  readonly readPdf: ReadPdf | undefined
  /** Returns the headers for an answer, new at each call. */
  readonly createHeaders: () => Record<string, string>
}

/**
 * Answers one request. Rejects if the client hangs up first.
 * @param disconnected aborted when the client hangs up
 */
export type RequestHandler = (
  incoming: IncomingMessage,
  response: ServerResponse,
  disconnected: AbortSignal,
) => Promise<void>

/**
 * Returns the handler of all requests. It chooses the route, validates the request, enforces the rate limits
 * and then follows the script.
 */
export function createRequestHandler({
  script,
  limiter,
  batches,
  stats,
  readPdf,
  createHeaders,
}: RequestHandlerOptions): RequestHandler {
  let answeredCount = 0
  return async (incoming, response, disconnected) => {
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
    if (endpoint === 'messages') stats.recordMessageRequest()
    const body = await readJsonBody(incoming)
    if (body === undefined) return fail({ status: 413, message: 'Request exceeds the maximum size' })
    const valid = validateRequest(body, endpoint)
    if ('status' in valid) return fail(valid)
    const request = await readCitablePdf(valid, readPdf)
    if (endpoint === 'count_tokens') return sendBody(response, { input_tokens: request.inputTokens })

    stats.recordPrompt(request)
    const limited = limiter.admit(request.inputTokens, performance.now())
    if (limited !== undefined) {
      const message = `This request would exceed your rate limit of ${limited.limit} per minute.`
      const wait = String(Math.max(1, Math.ceil(limited.waitMs / 1000)))
      return fail({ status: 429, message, headers: { 'retry-after': wait } })
    }
    const index = answeredCount++
    const onMessage = (message: Message) =>
      limiter.chargeOutput(stats.recordMessage(request, message), performance.now())
    return applyBehaviour(script({ index, request }), response, {
      request,
      index,
      headers: createHeaders,
      disconnected,
      onMessage,
    })
  }
}

const endpoints: ReadonlyMap<string, 'messages' | 'count_tokens'> = new Map([
  ['/v1/messages', 'messages'],
  ['/v1/messages/count_tokens', 'count_tokens'],
])
