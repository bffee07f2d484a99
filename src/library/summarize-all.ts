import type { AskError } from '../core/errors/ask-error.ts'
import { AccountError } from '../core/errors/run-error.ts'
import type * as core from '../core/run/outcome.ts'
import { createShutdown } from '../engine/shutdown.ts'
import { type SummarizeJob, summarizeDocuments } from '../engine/summarize-documents.ts'
import { checkListener } from './check-arguments.ts'
import { createChunkPlans } from './chunk-texts.ts'
import { toPublicError } from './library-error.ts'
import { type Outcome, toPublicOutcome } from './public-outcome.ts'
import { createProgress, type OnProgress, type Progress } from './run-progress.ts'
import { type AnswerReader, createAnswerReader } from './schema-data.ts'
import { stopReadsOnAbort } from './store.ts'
import type { BatchOptions } from './summarize-in-batches.ts'
import { readSummarizeOptions, type SummarizeCall, type SummarizeOptions } from './summarize-options.ts'
import { createTextRequests } from './text-requests.ts'
import { readText, type TextSource, type Texts, takeSources } from './text-source.ts'
import { unlessAborted } from './unless-aborted.ts'
import { withStore } from './with-store.ts'

/** Options of `summarizeAll`. */
export interface SummarizeAllOptions<Data = unknown> extends SummarizeOptions<Data> {
  /** Called before each outcome is yielded. */
  readonly onProgress?: ((progress: Progress) => unknown) | undefined
  /**
   * With `mode: 'batch'`: whether the loop waits until the batches have ended. Otherwise it collects the batches that have
   * ended, creates new ones, and yields `pending` for their texts; a later call with the same store collects them.
   * Default: true.
   */
  readonly wait?: boolean | undefined
}

/**
 * Summarizes texts, as many in parallel as the client's limits allow. Yields the outcome of each text when it
 * is finished, not in the order of the source. The next text is taken from the source only when the pool has
 * room; for batches, all texts are taken first. Leaving the loop closes the source and cancels the requests in flight.
 *
 * The loop never throws because of a single text. It also throws the signal's reason and the error of the source. Texts in
 * progress are yielded before it throws.
 * @param texts texts, taken one by one
 * @param options the client, the prompt and settings
 * @throws TypeError immediately, if an argument is invalid
 * @throws ClaudeBatchError in the loop, if the API refuses all requests, `maxCostUsd` is reached, or the API asks for a
 * longer wait than `maxWaitMs`
 */
export function summarizeAll<Data = unknown>(
  texts: Texts,
  options: SummarizeAllOptions<Data>,
): AsyncGenerator<Outcome<Data>, void, undefined> {
  const caller = 'summarizeAll'
  const call = readSummarizeOptions(caller, texts, options, ['onProgress', 'wait'])
  const { onProgress, wait = true } = options
  checkListener(caller, 'onProgress', onProgress)
  if (typeof wait !== 'boolean') throw new TypeError(`${caller}: wait must be true or false`)
  if (!wait && call.mode === 'live') throw new TypeError(`${caller}: wait: false needs mode: 'batch'`)
  return generateOutcomes(texts, call, { onProgress, wait }) as AsyncGenerator<Outcome<Data>, void, undefined>
}

async function* generateOutcomes(
  texts: Texts,
  { connection, prompt, overrides, signal, store, mode, chunkTokens }: SummarizeCall,
  { onProgress, wait }: { readonly onProgress: OnProgress | undefined; readonly wait: boolean },
): AsyncGenerator<Outcome, void, undefined> {
  const { clock, closed } = connection
  const countOutcome = createProgress(connection, onProgress)
  const shutdown = createShutdown()
  signal?.throwIfAborted()
  const sources = takeSources(texts, shutdown.drainSignal)
  const close = () => shutdown.abort(closed.reason)
  const abort = () => shutdown.abort(new Error('aborted'))
  let [endpoint, model] = ['', '']
  try {
    signal?.addEventListener('abort', abort, { once: true })
    closed.addEventListener('abort', close, { once: true })
    const requests = await createTextRequests(prompt, overrides)
    model = requests.model
    const reader = await createAnswerReader(requests.prompt.schema, 'the schema of the prompt')
    // Opening the connection may have to fetch a token first.
    endpoint = (await unlessAborted(connection.open(), shutdown.drainSignal)) ?? ''
    shutdown.drainSignal.throwIfAborted()
    const { withDrain, semaphore } = connection.forModel(model)
    const ask = withDrain(shutdown.drainSignal)
    const job = {
      sources,
      read: readText,
      buildRequest: requests.build,
      planChunks: createChunkPlans(requests, overrides, chunkTokens),
      findMismatch: reader.findMismatch,
      citations: requests.prompt.citations === true,
      ask,
      toRunError: (error: AskError) => new AccountError(error, model, endpoint),
      semaphore,
      shutdown,
      clock,
    }
    const outcomes = produceOutcomes(job, reader, { connection, store, mode, requests, wait })
    for await (const outcome of outcomes) {
      countOutcome(outcome)
      yield toPublicOutcome(outcome, reader)
    }
    shutdown.drainSignal.throwIfAborted()
  } catch (error) {
    signal?.throwIfAborted()
    throw toPublicError(error, { model, endpoint })
  } finally {
    signal?.removeEventListener('abort', abort)
    closed.removeEventListener('abort', close)
    shutdown.abort(new Error('the consumer left the loop'))
    await sources.return(undefined)
  }
}

interface ProduceOptions extends Omit<BatchOptions, 'store'>, Pick<SummarizeCall, 'store' | 'mode'> {}

/** Yields the outcomes of live requests or of batches, with or without a store. */
async function* produceOutcomes(
  job: SummarizeJob<TextSource>,
  reader: AnswerReader,
  { store: slowStore, mode, ...options }: ProduceOptions,
): AsyncGenerator<core.Outcome> {
  if (slowStore === undefined) return yield* summarizeDocuments(job)
  const store = stopReadsOnAbort(slowStore, job.shutdown.drainSignal)
  const storedJob = withStore(job, store, reader)
  if (mode === 'live') return yield* summarizeDocuments(storedJob)
  const { summarizeInBatches } = await import('./summarize-in-batches.ts')
  yield* summarizeInBatches(storedJob, { ...options, store })
}
