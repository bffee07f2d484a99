import { type Problem, toErrorBody } from './http-problem.ts'

/** A stream of Server-Sent Events to one client. */
export interface EventStream {
  /** The body of the response. */
  readonly body: ReadableStream<Uint8Array>
  /** Sends an event as JSON in one `data:` line, so that no text can imitate another event. */
  send(data: object): void
  /** Sends a comment, so that proxies and clients do not close the connection as idle. */
  sendHeartbeat(): void
  end(): void
}

export interface EventStreamOptions {
  /** The maximum that is buffered for a slow client, in bytes. */
  readonly maxBufferedBytes: number
  /** Called once if the buffer is full, after the stream has ended with an error. */
  readonly onOverflow: () => void
}

/**
 * Creates an event stream whose sender never waits, because a slow client must not delay a request that is
 * billed.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function createEventStream({ maxBufferedBytes, onOverflow }: EventStreamOptions): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>(
    {
      start(streamController) {
        controller = streamController
      },
      // The client has disconnected.
      cancel() {
        controller = undefined
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: maxBufferedBytes }),
  )
  const enqueue = (text: string) => {
    if (controller === undefined) return
    controller.enqueue(encoder.encode(text))
    if ((controller.desiredSize ?? 0) >= 0) return
    controller.enqueue(encoder.encode(formatEvent(toErrorBody(tooSlow))))
    controller.close()
    controller = undefined
    onOverflow()
  }
  return {
    body,
    send: (data) => enqueue(formatEvent(data)),
    sendHeartbeat: () => enqueue(': still here\n\n'),
    end() {
      controller?.close()
      controller = undefined
    },
  }
}

const encoder = new TextEncoder()

function formatEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}

const tooSlow: Problem = {
  status: 503,
  type: 'too_slow',
  message: 'the client reads too slowly; the rest of the reply is lost',
}
