import { AskError, StoppedError } from '../../core/errors/ask-error.ts'
import type { Fault } from '../../core/errors/request-error.ts'
import { listPrice, type PriceOf } from '../../core/pricing/price.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import type { Ask } from '../../core/request/ask.ts'
import type { Attempt } from '../../core/request/attempt.ts'

export interface Listener {
  /** A request is on its way. */
  sent(): void
  /** It ended; once for each that was sent. */
  ended(attempt: Attempt): void
}

/** Times and prices every sending and tells it as an {@link Attempt}, however it ends; sits right around the client. */
export function recorded(ask: Ask, clock: Clock, listener: Listener, priceOf: PriceOf = listPrice): Ask {
  return async (request, signal, watch) => {
    // A caller that left while it was admitted has sent nothing.
    signal.throwIfAborted()
    const at = clock.wall()
    const start = clock.now()
    const common = { path: request.path, attempt: request.attempt, at, startMs: start }
    listener.sent()
    try {
      const reply = await ask(request, signal, watch)
      const { model, usage, terms } = reply
      const cost = usage && priceOf({ model, asked: request.model, usage, ...(terms && { terms }) })
      const attempt: Attempt = {
        ...common,
        elapsedMs: clock.now() - start,
        model,
        status: 200,
        ...(reply.firstTokenMs !== undefined && { firstTokenMs: reply.firstTokenMs }),
        ...(usage !== undefined && { usage }),
        ...(cost !== undefined && { cost }),
        ...(reply.requestId !== undefined && { requestId: reply.requestId }),
      }
      listener.ended(attempt)
      return { ...reply, attempts: [attempt] }
    } catch (error) {
      const fault = error instanceof AskError ? error.fault : abandoned
      const attempt: Attempt = {
        ...common,
        elapsedMs: clock.now() - start,
        model: request.model,
        fault,
        ...(fault.status !== undefined && { status: fault.status }),
        ...(fault.requestId !== undefined && { requestId: fault.requestId }),
      }
      listener.ended(attempt)
      if (error instanceof AskError) throw new AskError(fault, [attempt])
      // Only a stop gets here without a fault of its own; anything else is a bug.
      throw signal.aborted && error instanceof Error ? new StoppedError(error, [attempt]) : error
    }
  }
}

/** Cut off by ourselves: no fault to act on, but a request that was sent and may be billed. */
const abandoned: Fault = {
  kind: 'connection',
  type: 'abandoned',
  message: 'abandoned before the answer was complete',
}
