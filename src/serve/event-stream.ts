import { type Problem, toErrorBody } from './http-problem.ts'

/** Server-Sent Events to one client. */
export interface EventStream {
  /** The body of the response. */
  readonly body: ReadableStream<Uint8Array>
  /** Sends one event, as JSON in one `data:` line: nothing in a text can pass for another event. */
  send(data: object): void
  /** Sends a comment, which tells proxies and clients that the line is alive. */
  sendHeartbeat(): void
  end(): void
}

export interface EventStreamOptions {
  /** So much may wait for a client that is slow to read: bytes. */
  readonly maxBufferedBytes: number
  /** Told once, when more waits: the stream has ended then, with an error. */
  readonly onOverflow: () => void
}

/**
 * A channel whose sender never waits: a client that reads slowly must not hold up a request that is being billed.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function createEventStream({ maxBufferedBytes, onOverflow }: EventStreamOptions): EventStream {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own
      },
      // The client has left.
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
