import { sumInputTokens } from '../core/pricing/usage.ts'
import type { Ask } from '../core/request/ask.ts'
import { findReplyFailure } from '../core/request/reply.ts'
import type { Clock } from '../core/run/clock.ts'
import { QueueFullError } from '../engine/middleware/bounded-queue.ts'
import { withAnySignal } from '../engine/with-any-signal.ts'
import { addFlagHint } from '../run/flag-hints.ts'
import { describeAnswer } from './describe-answer.ts'
import { createEventStream } from './event-stream.ts'
import { type Problem, toErrorBody, toProblem, toReplyProblem } from './http-problem.ts'
import type { Metrics } from './metrics.ts'
import { parseQuestion, type Question, QuestionError } from './parse-question.ts'
import type { StreamRequest } from './request-factory.ts'

export interface AnswerStreamOptions {
  /** Sends a request after it has waited in the queue and for the rate limiter. */
  readonly ask: Ask
  /** Builds the request for a question. @throws QuestionError if the prompt does not exist */
  readonly buildRequest: (question: Question) => Promise<StreamRequest>
  readonly metrics: Metrics
  readonly clock: Pick<Clock, 'now'>
  /** Aborted when the server stops; open requests continue. */
  readonly drainSignal: AbortSignal
  /** Aborted when open requests must end. */
  readonly abort: AbortSignal
  /** A stream without data for this long gets a heartbeat: milliseconds. Default: {@link defaultHeartbeatMs} */
  readonly heartbeatMs?: number
  /** Called with the original error, for the operator. */
  readonly onError: (error: unknown) => void
}

/** Proxies end a stream that is silent for long; nginx after 60 seconds. */
const defaultHeartbeatMs = 15_000

/** The maximum that is buffered for a slow client, in bytes. No reply is as long. */
const maxBufferedBytes = 1_000_000

/**
 * Answers one request for a stream. Resolves with the stream once it has its first byte. Resolves with a
 * problem if one occurs before; a later problem is sent as an event of the stream.
 * @param body as the client sent it
 * @param clientGone aborted when the client disconnects, which cancels the request to the API
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
  }, options.heartbeatMs ?? defaultHeartbeatMs)
  let textCount = 0
  const onText = (text: string) => {
    if (textCount++ === 0) metrics.recordFirstText(clock.now() - start)
    events.send({ text })
    markSent()
  }

  const handleRequest = async (): Promise<Problem | undefined> => {
    try {
      if (clientGone.aborted) abortRequest()
      const question = parseQuestion(body)
      const { promptName, ...request } = await buildRequest(question)
      const reply = await withAnySignal(requestAbort.signal, abort, (signal) => ask(request, signal, onText))
      const failure = findReplyFailure(reply, request.maxTokens)
      recordEnd(failure === undefined ? 'done' : 'failed')
      if (failure !== undefined) return toReplyProblem(addFlagHint(failure))
      const { usage } = reply
      events.send({
        done: true,
        usage: usage === undefined ? null : { input: sumInputTokens(usage), output: usage.output_tokens },
        ...(question.details && describeAnswer(reply, promptName)),
      })
    } catch (error) {
      const isRejected = error instanceof QuestionError || error instanceof QueueFullError
      recordEnd(isRejected ? 'refused' : requestAbort.signal.aborted ? 'cancelled' : 'failed')
      // Rejected questions, disconnected clients and requests that the shutdown ends are not reported.
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
