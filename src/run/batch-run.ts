import { defaultOutputFolder } from '../config/flags/output-flags.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { BatchApi } from '../core/batch/batch-api.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { isInWorkingDirectory } from '../core/document/document-path.ts'
import { describeFailure } from '../core/errors/describe-failure.ts'
import { toFailure } from '../core/errors/failure.ts'
import type { PriceOf } from '../core/pricing/pricing-rules.ts'
import type { AnswerChecks, AnswerSettings } from '../core/request/answer-settings.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'
import { quoteShellWord } from '../core/text/quote-shell-word.ts'
import type { BatchJob, Sending } from '../engine/batch/run-batches.ts'
import { ExitError, toEnding, UsageError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import type { RequestLog } from '../sinks/request-log.ts'
import type { Reporter } from '../ui/reporter.ts'
import type { InstrumentedClient } from './instrument.ts'
import type { FolderState } from './output.ts'
import type { RunTrace } from './trace-run.ts'

/** The part of an engine job that does not depend on how requests are sent. */
export type EngineJob = Pick<
  BatchJob,
  | 'read'
  | 'findEarlierResult'
  | 'checkConflict'
  | 'onOutcome'
  | 'inFlight'
  | 'addHint'
  | 'toRunError'
  | 'shutdown'
  | 'clock'
>

export interface BatchRunOptions {
  readonly options: Pick<SummarizeOptions, 'detach' | 'retries' | 'out'>
  readonly runtime: Runtime
  readonly baseUrl: string
  readonly folder: FolderState
  readonly priceOf: PriceOf
  readonly batchApi: BatchApi
  readonly instruments: Pick<InstrumentedClient, 'stats'>
  readonly runTrace: Pick<RunTrace, 'recordBatchAttempt'>
  readonly reporter: Reporter
  /** Whether the run waits until all batches have ended. */
  readonly shouldWait: boolean
  /** How the run sends documents that are in no batch; undefined if it only collects. */
  readonly sending: Sending | undefined
  readonly log: RequestLog | undefined
}

/**
 * Yields the outcomes of a run that submits batches or collects those of earlier runs; see {@link
 * runBatches}.
 */
export async function* runBatchedDocuments(
  job: EngineJob & { readonly sources: readonly DocumentRef[] },
  {
    options,
    runtime,
    baseUrl,
    folder,
    priceOf,
    batchApi,
    instruments: { stats },
    runTrace,
    reporter,
    log,
    shouldWait,
    sending,
  }: BatchRunOptions,
): AsyncGenerator<Outcome> {
  const { clock, random } = runtime
  const { persist, batchStore: store } = folder
  const { runBatches } = await import('../engine/batch/run-batches.ts')
  const collectCommand = `claude-batch batches collect ${quoteShellWord(options.out ?? defaultOutputFolder)}`
  yield* runBatches({
    ...job,
    priceOf,
    persist,
    batchApi,
    store,
    // Anyone may have written a batch file, and a path to elsewhere may be one of a server.
    mayRead: isInWorkingDirectory,
    endpoint: baseUrl,
    random,
    retries: options.retries,
    loadChecks: loadAnswerChecks,
    ...(sending !== undefined && { sending }),
    shouldWait,
    isDetached: options.detach,
    listener: {
      onAttempt(attempt) {
        stats.addAttempt(attempt)
        runTrace.recordBatchAttempt(attempt)
        log?.writeAttempt(attempt)
      },
      onRetry({ requestError }, waitMs) {
        if (waitMs >= minReportedWaitMs)
          reporter.printNote(
            `batches: ${describeFailure(toFailure(requestError))}; retrying in ${formatDuration(waitMs)}`,
          )
      },
      onCollectError: (error) => reporter.printNote(toEnding(error).text),
      onWarning: reporter.printNote,
      onCanary: ({ path }) =>
        reporter.printNote(`${path} is sent live first, to check that the API accepts these requests`),
      onSubmitted({ id, localId: intent, items }, { bytes }) {
        const size = `${formatDocumentCount(items.size)}, ${formatBytes(bytes)}`
        const hint = options.detach
          ? `; to fetch the summaries later, run the same command again, or ${collectCommand}`
          : ''
        reporter.printNote(`batch ${id ?? intent} created: ${size}${hint}`)
      },
      onUnfinished(batches) {
        const count = batches.reduce((sum, { items }) => sum + items.size, 0)
        const text = `${formatDocumentCount(count)} ${count === 1 ? 'is' : 'are'} still in ${formatBatchCount(batches)} at the API; to fetch ${count === 1 ? 'it' : 'them'} later, run the same command again, or ${collectCommand}`
        // With --detach, the note about the created batch has the same hint.
        if (!options.detach) reporter.printMessage(text)
      },
      onWaiting(waitingFor) {
        const start = clock.now()
        const count = waitingFor.reduce((sum, { items }) => sum + items.size, 0)
        reporter.setWaitingText(
          count === 0
            ? undefined
            : () =>
                `${formatInteger(count)} in ${formatBatchCount(waitingFor)}${formatRoughWait(clock.now() - start)}, no progress until it ends`,
        )
      },
    },
  })
}

/**
 * Creates the checks for answer settings, which may be stored with a batch.
 * @throws ExitError `ioError` if they are invalid
 */
async function loadAnswerChecks(settings: AnswerSettings): Promise<AnswerChecks> {
  const { createAnswerChecks } = await import('../inputs/answer-checks/answer-checks.ts')
  const schemaOrigin = 'the schema that is stored with a batch'
  return createAnswerChecks(settings, schemaOrigin).catch((error: unknown) => {
    throw error instanceof UsageError ? new ExitError('ioError', error.message) : error
  })
}

/** Shorter waits are not reported. Milliseconds. */
const minReportedWaitMs = 5000

function formatDocumentCount(documents: number): string {
  return pluralize(documents, 'document')
}

function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`
}

function formatBatchCount({ length }: readonly unknown[]): string {
  return length === 1 ? 'a batch' : `${length} batches`
}

/** Returns a wait in minutes, from ten on in steps of ten, so that it rarely adds a line to a log. */
function formatRoughWait(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  return minutes < 1 ? '' : ` for ${minutes < 10 ? minutes : Math.floor(minutes / 10) * 10} min`
}
