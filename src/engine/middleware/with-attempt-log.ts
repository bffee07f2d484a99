import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import type { RequestError } from '../../core/errors/request-error.ts'
import { listPrice, type PriceOf } from '../../core/pricing/pricing-rules.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Attempt } from '../../core/request/attempt.ts'
import type { Clock } from '../../core/run/clock.ts'

export interface AttemptListener {
  /** Called when a request is sent. */
  onSend(): void
  /** Called once for each request sent, when it ends. */
  onEnd(attempt: Attempt): void
}

/**
 * Records each request as an {@link Attempt} with its time and cost, whether it succeeds or fails. It wraps
 * the client directly.
 */
export function withAttemptLog(
  ask: Ask,
  clock: Clock,
  listener: AttemptListener,
  priceOf: PriceOf = listPrice,
): Ask {
  return async (request, signal, onText) => {
    // If the caller cancelled during admission, nothing was sent.
    signal.throwIfAborted()
    const startedAt = clock.wallTime()
    const monotonicStartMs = clock.now()
    const common = {
      path: request.path,
      attemptNumber: request.attemptNumber,
      startedAt,
      monotonicStartMs,
    }
    listener.onSend()
    try {
      const reply = await ask(request, signal, onText)
      const { model, usage, terms } = reply
      const cost = usage && priceOf({ model, requestedModel: request.model, usage, ...(terms && { terms }) })
      const attempt: Attempt = {
        ...common,
        elapsedMs: clock.now() - monotonicStartMs,
        model,
        status: 200,
        firstTokenMs: reply.firstTokenMs,
        usage,
        cost,
        requestId: reply.requestId,
      }
      listener.onEnd(attempt)
      return { ...reply, attempts: [attempt] }
    } catch (error) {
      const requestError = error instanceof AskError ? error.requestError : abandonedError
      const attempt: Attempt = {
        ...common,
        elapsedMs: clock.now() - monotonicStartMs,
        model: request.model,
        error: requestError,
        status: requestError.status,
        requestId: requestError.requestId,
      }
      listener.onEnd(attempt)
      if (error instanceof AskError) throw error.with({ attempts: [attempt] })
      // Only a shutdown ends a request without a request error; any other error is a bug.
      throw signal.aborted && error instanceof Error ? new StoppedError(error, [attempt]) : error
    }
  }
}

/** The error of a request that a shutdown aborted: it was sent and may be billed. */
const abandonedError: RequestError = {
  kind: 'connection',
  type: 'abandoned',
  message: 'aborted before the reply was complete',
}
