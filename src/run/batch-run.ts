import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { BatchApi } from '../core/batch/batch-api.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { formatFailure, toFailure } from '../core/errors/failure.ts'
import type { PriceOf } from '../core/pricing/pricing-rules.ts'
import type { AnswerChecks, AnswerSettings } from '../core/request/answer-settings.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'
import type { ItemSettings } from '../engine/batch/submit-batches.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import { type SummarizeJob, summarizeDocuments } from '../engine/summarize-documents.ts'
import { ExitError, toEnding, UsageError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import type { RequestLog } from '../sinks/request-log.ts'
import type { Reporter } from '../ui/reporter.ts'
import type { InstrumentedClient } from './instrument.ts'
import type { FolderState } from './output.ts'
import type { RequestBuilder } from './request-builder.ts'

export interface BatchRunOptions {
  readonly options: Pick<SummarizeOptions, 'detach' | 'retries' | 'frontMatter' | 'force' | 'prices'>
  readonly runtime: Runtime
  readonly baseUrl: string
  readonly requestBuilder: Pick<RequestBuilder, 'getProvenance' | 'getAnswerSettings'>
  readonly folder: FolderState
  readonly priceOf: PriceOf
  readonly budget: SharedBudget | undefined
  readonly batchApi: BatchApi
  readonly instruments: Pick<InstrumentedClient, 'stats'>
  readonly reporter: Reporter
  /** Whether the run waits until all batches have ended. */
  readonly shouldWait: boolean
  /** Whether the run submits documents in batches, rather than live. */
  readonly shouldSubmit: boolean
  /** Chooses and orders the documents that are sent live; all of them, if left out. */
  readonly selectLive?: (sources: readonly DocumentRef[]) => AsyncIterable<DocumentRef>
  readonly log: RequestLog | undefined
}

/** Outcomes of a run that makes batches, or finds some that earlier ones made; see {@link runBatches}. */
export async function* runBatchedDocuments(
  job: Omit<SummarizeJob, 'sources'> & { readonly sources: readonly DocumentRef[] },
  {
    options,
    runtime,
    baseUrl,
    requestBuilder,
    folder,
    priceOf,
    budget,
    batchApi,
    instruments: { stats },
    reporter,
    log,
    shouldWait,
    shouldSubmit,
    selectLive,
  }: BatchRunOptions,
): AsyncGenerator<Outcome> {
  const { clock, random } = runtime
  const { persist, batchStore: store, hasSucceededBefore } = folder
  const getItemSettings = createItemSettingsLookup(requestBuilder, options, clock.wallTime())
  const runLive = (sources: SummarizeJob['sources']) => summarizeDocuments({ ...job, persist, sources })
  const { runBatches } = await import('../engine/batch/run-batches.ts')
  yield* runBatches({
    ...job,
    priceOf,
    persist,
    batchApi,
    store,
    endpoint: baseUrl,
    random,
    retries: options.retries,
    loadChecks: loadAnswerChecks,
    sending: shouldSubmit
      ? { runLive, batches: { ...job, getItemSettings, budget, hasSucceededBefore } }
      : { runLive: (sources) => runLive(selectLive?.(sources) ?? sources) },
    shouldWait,
    isDetached: options.detach,
    listener: {
      onAttempt(attempt) {
        stats.addAttempt(attempt)
        log?.writeAttempt(attempt)
      },
      onRetry({ requestError }, waitMs) {
        if (waitMs >= minReportedWaitMs)
          reporter.printNote(
            `batches: ${formatFailure(toFailure(requestError))}; retrying in ${formatDuration(waitMs)}`,
          )
      },
      onCollectError: (error) => reporter.printNote(toEnding(error).text),
      onWarning: reporter.printNote,
      onSubmitted({ id, localId: intent, items }, { bytes }) {
        const size = `${formatDocumentCount(items.size)}, ${(bytes / 1e6).toFixed(1)} MB`
        const where = options.detach
          ? '; the same command, or claude-batch batches collect, fetches the summaries'
          : ''
        reporter.printNote(`batch ${id ?? intent} created: ${size}${where}`)
      },
      onUnfinished(batchApi) {
        const count = batchApi.reduce((sum, { items }) => sum + items.size, 0)
        const text = `${formatDocumentCount(count)} ${count === 1 ? 'is' : 'are'} still in ${formatBatchCount(batchApi)} at the API, which continues; the same command, or claude-batch batches collect, fetches ${count === 1 ? 'it' : 'them'}`
        // Whoever left them on purpose has been told.
        if (!options.detach) runtime.stderr.write(`claude-batch: ${text}\n`)
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
 * Returns a function that looks up what a batch stores about a document's request: its provenance, and the settings that
 * the prompt and the options give its answer. Documents with the same settings share one settings object.
 * @param nowMs milliseconds since 1970
 */
function createItemSettingsLookup(
  { getAnswerSettings, getProvenance }: BatchRunOptions['requestBuilder'],
  { frontMatter, force, prices = {} }: BatchRunOptions['options'],
  nowMs: number,
): (path: string) => ItemSettings {
  const settingsByAnswers = new Map<object, AnswerSettings>()
  return (path) => {
    const answers = getAnswerSettings(path)
    const provenance = getProvenance(path)
    const { model } = provenance
    const price = Object.hasOwn(prices, model) ? prices[model] : undefined
    const settings = settingsByAnswers.get(answers) ?? {
      ...answers,
      frontMatter,
      ...(force && { replacesBefore: nowMs }),
      ...(price !== undefined && { price }),
    }
    settingsByAnswers.set(answers, settings)
    return { provenance, answerSettings: settings }
  }
}

/** The settings may come from a batch's file. @throws RunError `ioError` */
async function loadAnswerChecks(settings: AnswerSettings): Promise<AnswerChecks> {
  const { createAnswerChecks } = await import('../inputs/answer-checks/answer-checks.ts')
  const schemaOrigin = 'the schema that is stored with a batch'
  return createAnswerChecks(settings, schemaOrigin).catch((error: unknown) => {
    throw error instanceof UsageError ? new ExitError('ioError', error.message) : error
  })
}

/** A shorter wait is over before anybody wonders: milliseconds. */
const minReportedWaitMs = 5000

function formatDocumentCount(documents: number): string {
  return pluralize(documents, 'document')
}

function formatBatchCount({ length }: readonly unknown[]): string {
  return length === 1 ? 'a batch' : `${length} batches`
}

/** Changes so seldom that a log of it stays short. */
function formatRoughWait(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  return minutes < 1 ? '' : ` for ${minutes < 10 ? minutes : Math.floor(minutes / 10) * 10} min`
}
