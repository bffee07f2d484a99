import { withCache } from '../engine/middleware/with-cache.ts'
import type { SummarizeJob } from '../engine/summarize-documents.ts'
import type { AnswerReader } from './schema-data.ts'
import type { CheckedStore } from './store.ts'
import { createStoredResults } from './stored-results.ts'
import type { TextSource } from './text-source.ts'

/**
 * Returns a job that takes results from a store, and keeps new ones there before they are yielded. Equal texts share one
 * request. If a result cannot be stored, it is yielded all the same, and the run stops, so that no other one is lost.
 */
export function withStore(
  job: SummarizeJob<TextSource>,
  store: CheckedStore,
  reader: AnswerReader,
): SummarizeJob<TextSource> {
  const { ask, semaphore, shutdown } = job
  const { find, save, chunkCache } = createStoredResults(store, reader)
  return {
    ...job,
    inFlight: new Map(),
    findEarlierResult: (_source, asked) => find(asked),
    askChunk: withCache(ask, chunkCache, (ask) => semaphore.withPermit(ask, shutdown.drainSignal)),
    async persist(outcome) {
      try {
        await save(outcome)
        return true
      } catch (error) {
        shutdown.drain(error as Error)
        return false
      }
    },
  }
}
