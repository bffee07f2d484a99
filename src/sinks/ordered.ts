import type { Outcome } from '../core/outcome.ts'
import type { Sink } from './sink.ts'

/** How far outcomes may run ahead of the one that is written next; about 16 MB of summaries at most. */
export const furthestAhead = 4096

/** Passes outcomes on in the order of their sources, as soon as all before them are there. */
export function ordered(sink: Sink): Sink {
  const waiting = new Map<number, Outcome>()
  let next = 0
  let writing: Promise<void> = Promise.resolve()

  const flush = async () => {
    for (let outcome = waiting.get(next); outcome !== undefined; outcome = waiting.get(next)) {
      waiting.delete(next++)
      await sink.write(outcome)
    }
  }
  return {
    write(outcome) {
      waiting.set(outcome.source.index, outcome)
      writing = writing.then(flush)
      return writing
    },
    async close() {
      await writing
      await sink.close()
    },
  }
}
