import { AccountError } from '../core/errors/run-error.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { withCache } from '../engine/middleware/with-cache.ts'
import { maxReorderBuffer, restoreInputOrder } from '../engine/restore-input-order.ts'
import { type SummarizeJob, summarizeDocuments } from '../engine/summarize-documents.ts'
import { writeOutcomes } from '../engine/write-outcomes.ts'
import { type EngineJob, runBatchedDocuments } from './batch-run.ts'
import { createSending } from './create-sending.ts'
import { addFlagHint } from './flag-hints.ts'
import { type InstrumentedClient, instrumentClient } from './instrument.ts'
import { createOutcomeWriter } from './outcome-writer.ts'
import type { Output } from './output.ts'
import type { PreparedRun } from './prepare-run.ts'
import type { SummaryRequestBuilder } from './request-builder.ts'
import type { RunContext } from './run-context.ts'
import type { RunPlan } from './run-plan.ts'
import { createSampling, type Sampling } from './sample-first.ts'
import { createStopRules, type StopRules } from './stop-rules.ts'
import { type RunTrace, traceRun } from './trace-run.ts'

/** The results of a run whose requests have all ended. */
export interface ExecutedRun extends Pick<InstrumentedClient, 'stats' | 'rateLimiter'> {
  /** The paths of documents that are pending or failed with a transient error. */
  readonly unfinished: ReadonlySet<string>
}

/** Sends the pending documents, live or in batches, and writes each outcome to the output. */
export async function executeRun(
  plan: RunPlan,
  prepared: PreparedRun,
  context: RunContext,
): Promise<ExecutedRun> {
  const { output, sink } = prepared
  const { options, shutdown, reporter, runtime } = context
  const { pending, upToDate } = output
  const instruments = instrumentClient(prepared.client?.ask, {
    ...context,
    // Streamed text already shows progress.
    options:
      output.onText !== undefined && options.progress === 'auto' ? { ...options, progress: 'off' } : options,
    log: prepared.log,
    model: context.promptChoice.model,
    pendingCount: countDocuments(prepared),
    upToDate,
    kept: prepared.kept,
    skipped: plan.skipped,
    sharers: plan.shard?.count,
    runStart: output.runStart,
    locateSummary: output.folder?.formatSummaryPath,
  })
  const { stats, rateLimiter } = instruments
  const runTrace = traceRun(output.runStart, context.provider, runtime)
  const rules = createStopRules(options, shutdown, runtime.clock)
  const { requestBuilder } = context
  const sampling =
    output.folder && requestBuilder && createSampling(output.folder, { ...context, requestBuilder })
  const outcomes = startOutcomes(plan, prepared, { ...context, instruments, rules, sampling, runTrace })
  const unfinished = new Set<string>()
  const onDelivered = (outcome: Outcome) => {
    if (isUnfinished(outcome)) unfinished.add(outcome.document.path)
    runTrace.recordOutcome(outcome)
    sampling?.observe(outcome)
  }
  await writeOutcomes(
    output.isOrdered ? restoreInputOrder(outcomes, pending) : outcomes,
    createOutcomeWriter(sink, { stats, reporter, shutdown, onDelivered }),
  ).finally(() => {
    rules.dispose()
    reporter.stop()
    runTrace.end(stats.getStats(0))
  })
  for (const outcome of sampling?.listDeclined() ?? []) {
    unfinished.add(outcome.document.path)
    stats.addOutcome(outcome)
  }
  return { stats, rateLimiter, unfinished }
}

/** Returns the number of documents from which the run expects outcomes: those in batches of earlier runs need not be inputs. */
function countDocuments({ output: { pending, folder }, usesBatches }: PreparedRun): number {
  const batches = usesBatches ? (folder?.batchStore.openBatches ?? []) : []
  const inBatches = batches.flatMap(({ items, isSettled }) =>
    [...items.values()].map(({ path }) => path).filter((path) => !isSettled(path)),
  )
  return new Set([...pending.map(({ path }) => path), ...inBatches]).size
}

interface ExecutionContext extends RunContext {
  readonly instruments: InstrumentedClient
  readonly rules: StopRules
  readonly sampling: Sampling | undefined
  readonly runTrace: RunTrace
}

/** Returns the outcomes of the pending documents, from live requests or message batches. */
function startOutcomes(
  plan: RunPlan,
  prepared: PreparedRun,
  context: ExecutionContext,
): AsyncGenerator<Outcome> {
  const { output, client, shouldSubmit, usesBatches } = prepared
  const { options, sampling, requestBuilder, runtime } = context
  const { pending, folder } = output
  const engineJob = createEngineJob(output, context)
  const job = requestBuilder && createSummarizeJob(engineJob, output, { ...context, requestBuilder })
  const selectLive = sampling?.takeSampleFirst
  if (!usesBatches || client === undefined || folder === undefined)
    return job === undefined
      ? produceNothing()
      : summarizeDocuments({ ...job, sources: selectLive?.(pending) ?? pending })
  const { shouldWait = !options.detach } = plan
  const sendingOptions = { ...context, folder, shouldSubmit, selectLive, nowMs: runtime.clock.wallTime() }
  return runBatchedDocuments(
    { ...engineJob, sources: pending },
    {
      ...context,
      batchApi: client.batches,
      folder,
      log: prepared.log,
      shouldWait: shouldWait && (shouldSubmit || plan.shouldWait === true),
      sending: job && requestBuilder && createSending(job, { ...sendingOptions, requestBuilder }),
    },
  )
}

/** Yields nothing: a run that only collects has no work if another run has collected the batches. */
async function* produceNothing(): AsyncGenerator<Outcome> {}

/** Returns the settings that the engine needs in every run. */
function createEngineJob(
  { folder, findEarlierResult }: Output,
  { promptChoice, baseUrl, read, shutdown, runtime, rules }: ExecutionContext,
): EngineJob {
  return {
    read,
    findEarlierResult,
    ...(folder !== undefined && { checkConflict: folder.checkConflict }),
    onOutcome: rules.observe,
    inFlight: new Map(),
    addHint: addFlagHint,
    toRunError: (error) => new AccountError(error, promptChoice.model, baseUrl),
    shutdown,
    clock: runtime.clock,
  }
}

/** Adds the settings that the engine needs to send requests. */
function createSummarizeJob(
  engineJob: EngineJob,
  { onText, folder, isOrdered, persist }: Output,
  {
    requestBuilder,
    promptChoice,
    shutdown,
    instruments,
    runTrace,
  }: ExecutionContext & { readonly requestBuilder: SummaryRequestBuilder },
): Omit<SummarizeJob, 'sources'> {
  const { ask, semaphore } = instruments
  const { buildRequest, chunker, validateReply, checkQuality } = requestBuilder
  const withPermit = (inner: Ask) => semaphore.withPermit(inner, shutdown.drainSignal)
  return {
    ...engineJob,
    buildRequest,
    ...(chunker !== undefined && { planChunks: chunker.planChunks }),
    findMismatch: validateReply,
    checkQuality,
    citations: promptChoice.citations,
    ask: onText === undefined ? ask : (request, signal) => ask(request, signal, onText),
    ...(folder !== undefined && {
      askChunk: withCache(ask, folder.chunkCache, withPermit),
    }),
    persist,
    semaphore,
    traceDocument: runTrace.traceDocument,
    ...(isOrdered && { maxLead: maxReorderBuffer }),
  }
}

function isUnfinished(outcome: Outcome): boolean {
  return outcome.status === 'pending' || (outcome.status === 'failed' && outcome.failure.transient)
}
