import type { OnText } from '../core/request/ask.ts'
import { withAnySignal } from '../engine/with-any-signal.ts'
import type { Completion } from './request-completion.ts'

/**
 * An answer as a stream of text: `for await (const piece of stream)`. Pieces are buffered until they are
 * read. Leaving the loop early cancels the request at the API. If the answer fails, the received pieces are
 * yielded first, then the loop throws.
 */
export interface TextStream<Data = unknown> extends AsyncIterable<string> {
  /** The complete answer, as from `complete`. Need not be awaited. */
  readonly result: Promise<Completion<Data>>
}

/**
 * Starts a request immediately, and returns its answer as a stream.
 * @param send sends the request, and calls `onText` with the text as it arrives
 */
export function createTextStream(
  send: (signal: AbortSignal, onText: OnText) => Promise<Completion>,
  signal?: AbortSignal,
): TextStream {
  const pieces: string[] = []
  const readerLeft = new AbortController()
  let isEnded = false
  let notifyReader = () => {}
  let nextChange = Promise.resolve()
  const signalChange = () => {
    notifyReader()
    nextChange = new Promise((resolve) => {
      notifyReader = resolve
    })
  }
  signalChange()

  const onText = (piece: string) => {
    pieces.push(piece)
    signalChange()
  }
  const startRequest = (stop: AbortSignal) => send(stop, onText)
  const completion =
    signal === undefined
      ? startRequest(readerLeft.signal)
      : withAnySignal(signal, readerLeft.signal, startRequest)
  const result = completion.finally(() => {
    isEnded = true
    signalChange()
  })
  // A caller that only reads the pieces gets the error from the loop.
  result.catch(() => {})

  return {
    result,
    async *[Symbol.asyncIterator]() {
      let next = 0
      try {
        while (!isEnded || next < pieces.length) {
          const piece = pieces[next]
          if (piece === undefined) await nextChange
          else {
            next++
            yield piece
          }
        }
        await result
      } finally {
        if (!isEnded) readerLeft.abort()
      }
    },
  }
}
