import { promptTokens } from '../core/pricing/usage.ts'
import type { Clock } from '../core/rate-limit/clock.ts'
import type { Ask } from '../core/request/ask.ts'
import { flawOf } from '../core/request/reply.ts'
import type { Request } from '../core/request/request.ts'
import { QueueFullError } from '../engine/middleware/with-bounded-queue.ts'
import { underBoth } from '../engine/with-any-signal.ts'
import { eventStream } from './event-stream.ts'
import type { Metrics } from './metrics.ts'
import { errorBody, type Problem, problemOf, problemOfReply } from './problem.ts'
import { type Question, QuestionError, questionIn } from './question.ts'

export interface AnswerOptions {
  /** Waits for its turn, and keeps to the pace. */
  readonly ask: Ask
  /** Makes a request of a question. @throws QuestionError where there is no such prompt */
  readonly requestFor: (question: Question) => Promise<Request>
  readonly metrics: Metrics
  readonly clock: Pick<Clock, 'now'>
  /** Aborted: the server is stopping. */
  readonly drain: AbortSignal
  /** Aborted: whatever is still under way ends now. */
  readonly abort: AbortSignal
  /** Silence after which a client is told that the line is alive: milliseconds. */
  readonly heartbeatMs: number
  /** Told of what went wrong, in full. */
  readonly failed: (error: unknown) => void
}

/** What may wait for a client that does not read: bytes. More than any answer has. */
const mostWaiting = 1_000_000

/**
 * Answers one request for a stream. Resolves with a problem as long as nothing was sent, otherwise with the stream, as
 * soon as it has its first byte; what goes wrong after that is an event in it.
 * @param body as the client sent it
 * @param gone aborted when the client has left, which cancels the request to the service
 */
export async function answer(
  body: string,
  gone: AbortSignal,
  options: AnswerOptions,
): Promise<Problem | ReadableStream<Uint8Array>> {
  const { ask, requestFor, metrics, clock, drain, abort, failed } = options
  const start = clock.now()
  const ended = metrics.began()
  const leave = new AbortController()
  const left = () => leave.abort(new Error('the client has left'))
  gone.addEventListener('abort', left, { once: true })
  const events = eventStream({ mostWaiting, overflow: left })

  let [opened, spoke] = [false, false]
  let open = () => {}
  const first = new Promise<void>((resolve) => {
    open = () => {
      opened = true
      spoke = true
      resolve()
    }
  })
  const heart = setInterval(() => {
    if (!spoke) {
      events.beat()
      open()
    }
    spoke = false
  }, options.heartbeatMs)
  let texts = 0
  const watch = (text: string) => {
    if (texts++ === 0) metrics.firstText(clock.now() - start)
    events.send({ text })
    open()
  }

  const work = async (): Promise<Problem | undefined> => {
    try {
      if (gone.aborted) left()
      const request = await requestFor(questionIn(body))
      const reply = await underBoth(leave.signal, abort, (signal) => ask(request, signal, watch))
      const flaw = flawOf(reply, request.maxTokens)
      ended(flaw === undefined ? 'done' : 'failed')
      if (flaw !== undefined) return problemOfReply(flaw)
      const { usage } = reply
      events.send({
        done: true,
        usage: usage === undefined ? null : { input: promptTokens(usage), output: usage.output },
      })
    } catch (error) {
      const refused = error instanceof QuestionError || error instanceof QueueFullError
      ended(refused ? 'refused' : leave.signal.aborted ? 'cancelled' : 'failed')
      // What is cut off at the end is no news.
      if (!refused && !leave.signal.aborted && !drain.aborted) failed(error)
      return problemOf(error, drain.aborted)
    }
    return undefined
  }
  const finished = work().then((problem) => {
    clearInterval(heart)
    gone.removeEventListener('abort', left)
    if (problem !== undefined && opened) events.send(errorBody(problem))
    events.end()
    return opened ? undefined : problem
  })
  return (await Promise.race([first, finished])) ?? events.body
}
