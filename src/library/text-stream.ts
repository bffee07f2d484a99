import { underBoth } from '../engine/with-any-signal.ts'
import { type Completion, completion, type Question } from './complete-text.ts'
import type { Connection } from './connection.ts'

/**
 * An answer as it is written: `for await (const piece of stream)`. Every piece is kept until it is read, however late
 * that is. Leaving the loop early cancels the request upstream. Where the answer fails, the pieces that came are
 * handed out first, then the loop throws.
 */
export interface TextStream extends AsyncIterable<string> {
  /** The whole answer, as `complete` gives it. Need not be awaited. */
  readonly result: Promise<Completion>
}

export function textStream(connection: Connection, question: Question, signal?: AbortSignal): TextStream {
  const pieces: string[] = []
  const leave = new AbortController()
  let ended = false
  let wake = () => {}
  let news = Promise.resolve()
  const renew = () => {
    wake()
    news = new Promise((resolve) => {
      wake = resolve
    })
  }
  renew()

  const watch = (piece: string) => {
    pieces.push(piece)
    renew()
  }
  const work = (stop: AbortSignal) => completion(connection, question, { signal: stop, watch })
  const asked = signal === undefined ? work(leave.signal) : underBoth(signal, leave.signal, work)
  const result = asked.finally(() => {
    ended = true
    renew()
  })
  // Whoever only reads the pieces learns of it there.
  result.catch(() => {})

  return {
    result,
    async *[Symbol.asyncIterator]() {
      let next = 0
      try {
        while (!ended || next < pieces.length) {
          const piece = pieces[next]
          if (piece === undefined) await news
          else {
            next++
            yield piece
          }
        }
        await result
      } finally {
        if (!ended) leave.abort()
      }
    },
  }
}
