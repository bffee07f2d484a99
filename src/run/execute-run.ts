import { AccountError } from '../core/errors/run-error.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { withCache } from '../engine/middleware/with-cache.ts'
import { maxReorderBuffer, restoreInputOrder } from '../engine/restore-input-order.ts'
import { type SummarizeJob, summarizeDocuments } from '../engine/summarize-documents.ts'
import { writeOutcomes } from '../engine/write-outcomes.ts'
import { runBatchedDocuments } from './batch-run.ts'
import { addFlagHint } from './flag-hints.ts'
import { type InstrumentedClient, instrumentClient } from './instrument.ts'
import { createOutcomeWriter } from './outcome-writer.ts'
import type { PreparedRun } from './prepare-run.ts'
import type { RunContext } from './run-context.ts'
import type { RunPlan } from './run-plan.ts'
import { createSampling, type Sampling } from './sample-first.ts'
import { createStopRules, type StopRules } from './stop-rules.ts'

/** What a run did. */
export interface ExecutedRun extends Pick<InstrumentedClient, 'stats' | 'rateLimiter'> {
  /** The paths of documents that the next run takes up. */
  readonly unfinished: ReadonlySet<string>
}

/** Sends what is pending, live or in batches, and writes each outcome where it belongs. */
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
    // Text that is shown as it comes needs no other sign of life.
    options:
      output.onText !== undefined && options.progress === 'auto' ? { ...options, progress: 'off' } : options,
    log: prepared.log,
    model: context.requestBuilder.model,
    pendingCount: pending.length,
    upToDate,
    skipped: plan.skipped,
  })
  const { stats, rateLimiter } = instruments
  const rules = createStopRules(options, shutdown, runtime.clock)
  const sampling = output.folder && createSampling(output.folder, context)
  const outcomes = startOutcomes(plan, prepared, { ...context, instruments, rules, sampling })
  const unfinished = new Set<string>()
  const onDelivered = (outcome: Outcome) => {
    if (isUnfinished(outcome)) unfinished.add(outcome.document.path)
    sampling?.observe(outcome)
  }
  await writeOutcomes(
    output.isOrdered ? restoreInputOrder(outcomes, pending) : outcomes,
    createOutcomeWriter(sink, { stats, reporter, shutdown, onDelivered }),
  ).finally(() => {
    rules.dispose()
    reporter.stop()
  })
  for (const outcome of sampling?.listDeclined() ?? []) {
    unfinished.add(outcome.document.path)
    stats.addOutcome(outcome)
  }
  return { stats, rateLimiter, unfinished }
}

interface ExecutionContext extends RunContext {
  readonly instruments: InstrumentedClient
  readonly rules: StopRules
  readonly sampling: Sampling | undefined
}

/** Begins to produce outcomes: of live requests, or of message batches. */
function startOutcomes(
  plan: RunPlan,
  prepared: PreparedRun,
  context: ExecutionContext,
): AsyncGenerator<Outcome> {
  const { output, client, shouldSubmit, usesBatches } = prepared
  const { options, sampling } = context
  const { pending, folder } = output
  const job = createJob(prepared, context)
  if (!usesBatches || client === undefined || folder === undefined)
    return summarizeDocuments({
      ...job,
      ...(folder !== undefined && { persist: folder.persist }),
      sources: sampling?.takeSampleFirst(pending) ?? pending,
    })
  const { shouldWait = !options.detach } = plan
  return runBatchedDocuments(
    { ...job, sources: pending },
    {
      ...context,
      batchApi: client.batches,
      folder,
      log: prepared.log,
      shouldSubmit,
      shouldWait: shouldWait && (shouldSubmit || plan.shouldWait === true),
      ...(sampling !== undefined && { selectLive: sampling.takeSampleFirst }),
    },
  )
}

/** What the engine needs to know, but for the documents. */
function createJob(
  { output }: PreparedRun,
  { requestBuilder, baseUrl, read, shutdown, runtime, instruments, rules }: ExecutionContext,
): Omit<SummarizeJob, 'sources' | 'persist'> {
  const { ask, semaphore } = instruments
  const { onText, folder } = output
  const withSlot = (inner: Ask) => semaphore.withPermit(inner, shutdown.drainSignal)
  return {
    read,
    buildRequest: requestBuilder.buildRequest,
    planChunks: requestBuilder.planChunks,
    findMismatch: requestBuilder.validateReply,
    checkQuality: requestBuilder.checkQuality,
    ...(folder !== undefined && {
      checkConflict: folder.checkConflict,
      askChunk: withCache(ask, folder.chunkCache, withSlot),
    }),
    ask: onText === undefined ? ask : (request, signal) => ask(request, signal, onText),
    onOutcome: rules.observe,
    addHint: addFlagHint,
    toRunError: (error) => new AccountError(error, requestBuilder.model, baseUrl),
    semaphore,
    ...(output.isOrdered && { maxLead: maxReorderBuffer }),
    shutdown,
    clock: runtime.clock,
  }
}

function isUnfinished(outcome: Outcome): boolean {
  return outcome.status === 'pending' || (outcome.status === 'failed' && outcome.failure.transient)
}
