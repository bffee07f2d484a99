import { sumInputTokens } from '../core/pricing/usage.ts'
import type { Ask } from '../core/request/ask.ts'
import { findReplyFailure } from '../core/request/reply.ts'
import type { Request } from '../core/request/request.ts'
import type { Clock } from '../core/run/clock.ts'
import { QueueFullError } from '../engine/middleware/bounded-queue.ts'
import { withAnySignal } from '../engine/with-any-signal.ts'
import { addFlagHint } from '../run/flag-hints.ts'
import { createEventStream } from './event-stream.ts'
import { type Problem, toErrorBody, toProblem, toReplyProblem } from './http-problem.ts'
import type { Metrics } from './metrics.ts'
import { parseQuestion, type Question, QuestionError } from './parse-question.ts'

export interface AnswerStreamOptions {
  /** Waits in the queue and for the rate limiter. */
  readonly ask: Ask
  /** Makes a request of a question. @throws QuestionError where there is no such prompt */
  readonly buildRequest: (question: Question) => Promise<Request>
  readonly metrics: Metrics
  readonly clock: Pick<Clock, 'now'>
  /** Aborted: the server is stopping. */
  readonly drainSignal: AbortSignal
  /** Aborted: whatever is still under way ends now. */
  readonly abort: AbortSignal
  /** Silence after which a client is told that the line is alive: milliseconds. */
  readonly heartbeatMs: number
  /** Told of what went wrong, in full. */
  readonly onError: (error: unknown) => void
}

/** What may wait for a client that does not read: bytes. More than any answer has. */
const maxBufferedBytes = 1_000_000

/**
 * Answers one request for a stream. Resolves with a problem as long as nothing was sent, otherwise with the stream, as
 * soon as it has its first byte; what goes wrong after that is an event in it.
 * @param body as the client sent it
 * @param clientGone aborted when the client has left, which cancels the request to the service
 */
export async function answerStream(
  body: string,
  clientGone: AbortSignal,
  options: AnswerStreamOptions,
): Promise<Problem | ReadableStream<Uint8Array>> {
  const { ask, buildRequest, metrics, clock, drainSignal, abort, onError } = options
  const start = clock.now()
  const recordEnd = metrics.startRequest()
  const requestAbort = new AbortController()
  const abortRequest = () => requestAbort.abort(new Error('the client has left'))
  clientGone.addEventListener('abort', abortRequest, { once: true })
  const events = createEventStream({ maxBufferedBytes, onOverflow: abortRequest })

  let [isOpen, hasSent] = [false, false]
  let markSent = () => {}
  const firstByte = new Promise<void>((resolve) => {
    markSent = () => {
      isOpen = true
      hasSent = true
      resolve()
    }
  })
  const heartbeatTimer = setInterval(() => {
    if (!hasSent) {
      events.sendHeartbeat()
      markSent()
    }
    hasSent = false
  }, options.heartbeatMs)
  let textCount = 0
  const onText = (text: string) => {
    if (textCount++ === 0) metrics.recordFirstText(clock.now() - start)
    events.send({ text })
    markSent()
  }

  const handleRequest = async (): Promise<Problem | undefined> => {
    try {
      if (clientGone.aborted) abortRequest()
      const request = await buildRequest(parseQuestion(body))
      const reply = await withAnySignal(requestAbort.signal, abort, (signal) => ask(request, signal, onText))
      const failure = findReplyFailure(reply, request.maxTokens)
      recordEnd(failure === undefined ? 'done' : 'failed')
      if (failure !== undefined) return toReplyProblem(addFlagHint(failure))
      const { usage } = reply
      events.send({
        done: true,
        usage: usage === undefined ? null : { input: sumInputTokens(usage), output: usage.output_tokens },
      })
    } catch (error) {
      const isRejected = error instanceof QuestionError || error instanceof QueueFullError
      recordEnd(isRejected ? 'refused' : requestAbort.signal.aborted ? 'cancelled' : 'failed')
      // What is cut off at the end is no news.
      if (!isRejected && !requestAbort.signal.aborted && !drainSignal.aborted) onError(error)
      return toProblem(error, drainSignal.aborted)
    }
    return undefined
  }
  const result = handleRequest().then((problem) => {
    clearInterval(heartbeatTimer)
    clientGone.removeEventListener('abort', abortRequest)
    if (problem !== undefined && isOpen) events.send(toErrorBody(problem))
    events.end()
    return isOpen ? undefined : problem
  })
  return (await Promise.race([firstByte, result])) ?? events.body
}
