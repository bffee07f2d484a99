import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { chooseMode, type ModeChoice } from '../core/batch/choose-mode.ts'
import type { DocumentRef } from '../core/document/document.ts'
import type { DocumentCount } from '../core/document/document-count.ts'
import { describeAccountError } from '../core/errors/describe-account-error.ts'
import type { TokenHistory } from '../core/estimate/estimate-cost.ts'
import { estimateTime } from '../core/estimate/estimate-json.ts'
import { maxPoolSize } from '../core/rate-limit/pool-size.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { createRunEnd } from '../core/run/run-end.ts'
import type { StatsCollector } from '../core/run/run-stats.ts'
import type { SharedBudget } from '../engine/middleware/with-budget.ts'
import { withCache } from '../engine/middleware/with-cache.ts'
import { maxReorderBuffer, restoreInputOrder } from '../engine/restore-input-order.ts'
import { createShutdown } from '../engine/shutdown.ts'
import { type SummarizeJob, summarizeDocuments } from '../engine/summarize-documents.ts'
import { writeOutcomes } from '../engine/write-outcomes.ts'
import { chooseExit, describeStop, type Ending, type Exit, ExitError } from '../errors.ts'
import { createDocumentReader, type ReadDocument } from '../inputs/read/read-document.ts'
import type { Runtime } from '../runtime.ts'
import { openRequestLog } from '../sinks/request-log.ts'
import { hasLedger } from '../storage/output-folder.ts'
import type { Reporter } from '../ui/reporter.ts'
import { runBatchedDocuments } from './batch-run.ts'
import { confirmCost } from './confirm-cost.ts'
import { estimateBySize } from './estimate-by-size.ts'
import { instrumentClient } from './instrument.ts'
import type { NamedOutputs } from './named-outputs.ts'
import { createOutcomeWriter } from './outcome-writer.ts'
import { type Output, openFolderOutput, openStdoutOutput } from './output.ts'
import { resolvePlanningLimits } from './planning-limits.ts'
import { createPricing, formatRetirements } from './pricing.ts'
import { createProvider } from './provider.ts'
import { createReportWriter } from './report-writer.ts'
import type { RequestBuilder } from './request-builder.ts'
import { createSampling } from './sample-first.ts'
import { stopOnSignals } from './stop-on-signals.ts'
import { createStopRules } from './stop-rules.ts'

/** What a run is to do, all of it checked. */
export interface RunPlan {
  readonly sources: readonly DocumentRef[]
  /** Documents that were found and left out, by the reason. */
  readonly skipped?: ReadonlyMap<string, DocumentCount>
  /** Patterns that no file matches, which was reported. */
  readonly unmatched: readonly string[]
  readonly createRequestBuilder: (endpoint: string) => RequestBuilder
  /** The output folder; undefined for stdout. */
  readonly out: string | undefined
  /** The files that flags name for writing. */
  readonly namedOutputs: Pick<NamedOutputs, 'report' | 'log'>
  /** When it began, by the clock: milliseconds. */
  readonly startMs: number
  /** How documents are read that are no files; as files are, if left out. */
  readonly read?: ReadDocument
  /** What may be spent, shared with what was run before; by the options, if left out. */
  readonly sharedBudget?: { budget?: SharedBudget | undefined }
  /** Waits for the batches of earlier runs, too, that are not at their end. */
  readonly shouldWait?: boolean
  /** Leaves the batches of earlier runs to other runs. */
  readonly shouldCollect?: false
}

/** How a run ended. */
export interface RunResult {
  readonly exit: Exit
  /** The paths of documents that the next run takes up, whatever else it does: pending, or failed for now. */
  readonly unfinished: ReadonlySet<string>
}

/** Does what was planned: earns the outcomes, writes each where it belongs, and accounts for all. */
export async function run(
  plan: RunPlan,
  options: SummarizeOptions,
  runtime: Runtime,
  version: string,
): Promise<RunResult> {
  const { out, startMs, shouldWait = !options.detach, shouldCollect = true } = plan
  const requestedMode = options.batch ? 'batch' : options.mode
  // Only a folder remembers batches.
  const mode = out === undefined ? 'live' : requestedMode
  const unfinished = new Set<string>()
  const { clock } = runtime
  const report = createReportWriter(plan.namedOutputs.report, out, runtime, version)
  const shutdown = createShutdown()
  let reporter: Reporter | undefined
  const { encoding, pdf } = options
  const read =
    plan.read ??
    createDocumentReader({ ...runtime, encoding, pdf, onWarning: (text) => reporter?.printNote(text) })
  const provider = await createProvider(options, runtime)
  const stopListening = stopOnSignals(runtime, shutdown, () => reporter?.onDrain())
  let output: Output | undefined
  const openResources: { close(): Promise<void> }[] = []
  try {
    const { baseUrl } = provider
    const requestBuilder = plan.createRequestBuilder(baseUrl)
    const { sharedBudget = {} } = plan
    const pricing = {
      ...createPricing(options, requestBuilder.models),
      ...(sharedBudget.budget !== undefined && { budget: sharedBudget.budget }),
    }
    sharedBudget.budget = pricing.budget
    for (const text of formatRetirements(requestBuilder.models, clock.wallTime()))
      runtime.stderr.write(`claude-batch: ${text}\n`)
    const context = {
      options,
      runtime,
      read,
      requestBuilder,
      version,
      baseUrl,
      drainSignal: shutdown.drainSignal,
      ...pricing,
    }
    if (options.dryRun) {
      const { dryRun } = await import('./dry-run.ts')
      const dryRunOptions = {
        ...context,
        provider,
        out,
        report: plan.namedOutputs.report,
        skipped: plan.skipped,
      }
      return { exit: await dryRun(plan.sources, dryRunOptions), unfinished }
    }

    // Where nothing is remembered everything is to do; nothing is to be written before somebody agreed to that.
    const isFirstRun = out === undefined || !hasLedger(out)
    const confirmIfExpensive = (sources: readonly DocumentRef[], history: TokenHistory) =>
      confirmCost(
        () => {
          const { documents, liveCost: live, batchCost: batch } = estimateBySize(sources, history, context)
          return [{ documents, cost: mode === 'batch' ? batch : live }]
        },
        'document',
        context,
      )
    if (isFirstRun) await confirmIfExpensive(plan.sources, new Map())
    output =
      out === undefined
        ? openStdoutOutput(plan.sources, context, shutdown.abort)
        : await openFolderOutput(out, plan.sources, context)
    const { pending, upToDate, checkConflict, persist, rerunReasons, onText } = output
    const sink = report.observe(output.sink, requestBuilder)
    openResources.unshift(sink)
    if (!isFirstRun) await confirmIfExpensive(pending, output.history)
    const { batchStore } = output
    const route = mode === 'auto' ? chooseRunMode(pending, output, context) : undefined
    const shouldSubmit = (route?.mode ?? mode) === 'batch'
    const hasOpenBatches = shouldCollect && (batchStore?.openBatches.length ?? 0) > 0
    const usesBatches = (mode !== 'live' && pending.length > 0) || hasOpenBatches
    const client = pending.length > 0 || usesBatches ? await provider.connect() : undefined

    // Not before someone agreed to the run, and everything that may be wrong with the folder was looked at.
    const log = plan.namedOutputs.log && (await openRequestLog(plan.namedOutputs.log))
    if (log !== undefined) openResources.push(log)

    const instruments = instrumentClient(client?.ask, {
      // What is shown as it comes needs no other sign of life.
      options:
        onText !== undefined && options.progress === 'auto' ? { ...options, progress: 'off' } : options,
      runtime,
      shutdown,
      pricing,
      log,
      model: requestBuilder.model,
      pendingCount: pending.length,
      upToDate,
      skipped: plan.skipped,
      startMs,
    })
    const { ask, rateLimiter, semaphore, stats } = instruments
    const { chunkCache } = output
    const withSlot = (ask: Ask) => semaphore.withPermit(ask, shutdown.drainSignal)
    reporter = instruments.reporter
    if (route !== undefined) reporter.printNote(route.reason)
    if (mode !== requestedMode)
      reporter.printNote('live: batches need an output folder, and this run writes to stdout')
    const rules = createStopRules(options, shutdown, clock)
    const sample = createSampling(output, { ...context, reporter })
    const job: Omit<SummarizeJob, 'sources'> = {
      read,
      buildRequest: requestBuilder.buildRequest,
      planChunks: requestBuilder.planChunks,
      findMismatch: requestBuilder.validateReply,
      checkQuality: requestBuilder.checkQuality,
      ...(checkConflict !== undefined && { checkConflict }),
      ask: onText === undefined ? ask : (request, signal) => ask(request, signal, onText),
      ...(chunkCache !== undefined && { askChunk: withCache(ask, chunkCache, withSlot) }),
      onOutcome: rules.observe,
      toRunError: ({ requestError }) =>
        new ExitError('refused', describeAccountError(requestError, requestBuilder.model, baseUrl)),
      semaphore,
      ...(output.isOrdered && { maxLead: maxReorderBuffer }),
      shutdown,
      clock,
    }
    const outcomes =
      usesBatches && client !== undefined
        ? runBatchedDocuments(
            { ...job, sources: pending },
            {
              ...context,
              ...client,
              shouldWait: shouldWait && (shouldSubmit || mode === 'auto' || plan.shouldWait === true),
              shouldSubmit,
              maySwitchToBatch: mode === 'auto',
              ...(sample !== undefined && { offered: sample.takeSampleFirst }),
              startMs,
              output,
              pricing,
              instruments,
              log,
            },
          )
        : summarizeDocuments({
            ...job,
            ...(persist !== undefined && { persist }),
            sources: sample?.takeSampleFirst(pending) ?? pending,
          })
    const onDelivered = (outcome: Outcome) => {
      if (isUnfinished(outcome)) unfinished.add(outcome.document.path)
      sample?.observe(outcome)
    }
    const orderedOutcomes = output.isOrdered ? restoreInputOrder(outcomes, pending) : outcomes
    await writeOutcomes(
      orderedOutcomes,
      createOutcomeWriter(sink, { stats, reporter, shutdown, onDelivered }),
    ).finally(() => {
      rules.dispose()
      instruments.reporter.stop()
    })
    for (const outcome of sample?.listDeclined() ?? []) {
      unfinished.add(outcome.document.path)
      stats.addOutcome(outcome)
    }

    const runStats = stats.getStats(clock.now() - startMs)
    const time = new Date(clock.wallTime()).toISOString()
    const stopReason = describeStop(shutdown.drainSignal.reason)?.text
    const runEnd = createRunEnd(output.runStart.run, time, runStats, rateLimiter.getStats(), stopReason)
    await output.recordEnd(runEnd).catch((error: Error) => shutdown.drain(error))
    for (const resource of openResources.splice(0))
      await resource.close().catch((error: Error) => shutdown.drain(error))
    await report.write(output.runStart, runEnd).catch((error: Error) => shutdown.drain(error))

    const ending = describeStop(shutdown.drainSignal.reason)
    if (ending?.exit !== 'readerLeft') {
      reporter.printSummary(runStats, {
        prompt: `${requestBuilder.prompt} (${requestBuilder.promptSource})`,
        model: requestBuilder.model,
        limiterStats: rateLimiter.getStats(),
        ...(pricing.budget !== undefined && { budget: pricing.budget.getBudget() }),
        simulated: options.simulate,
        rerunReasons,
        ...(out !== undefined && { out: options.out ?? 'summaries' }),
      })
      if (ending !== undefined)
        runtime.stderr.write(
          `claude-batch: ${ending.text}${formatResumeHint(ending, stats, options.force ? undefined : out)}\n`,
        )
    }
    return { exit: chooseRunExit(stats, plan.unmatched, ending), unfinished }
  } finally {
    stopListening()
    reporter?.stop()
    // What an error left open.
    for (const resource of openResources) await resource.close().catch(() => {})
    // Its connections first: where every descriptor is in use, a lock cannot be read.
    try {
      await provider.close()
    } finally {
      await output?.close()
    }
  }
}

/** Which way documents go that are to go whichever is better. */
function chooseRunMode(
  pending: readonly DocumentRef[],
  { history, lastRunEnd }: Output,
  context: Parameters<typeof estimateBySize>[2] & { readonly options: SummarizeOptions },
): ModeChoice {
  const { options } = context
  const expected = estimateBySize(pending, history, context)
  const { limits, from } = resolvePlanningLimits(options, lastRunEnd)
  const { latency = 3, concurrency = maxPoolSize, timeLimit } = options
  const { ms: liveMs } = estimateTime(expected, limits, from, latency * 1000, concurrency)
  const deadlineMs = timeLimit === undefined ? undefined : timeLimit * 1000
  return chooseMode({ ...expected, documents: pending.length, liveMs, deadlineMs })
}

/** Only a folder remembers what is done. */
function formatResumeHint({ exit }: Ending, stats: StatsCollector, out: string | undefined): string {
  const { pending } = stats.getProgress().documents
  if (exit === 'later') return ''
  return out === undefined || pending === 0 ? '' : '; the same command goes on with the rest'
}

function isUnfinished(outcome: Outcome): boolean {
  return outcome.status === 'pending' || (outcome.status === 'failed' && outcome.failure.transient)
}

function chooseRunExit(
  stats: StatsCollector,
  unmatched: readonly string[],
  ending: Ending | undefined,
): Exit {
  const { documents, transientFailures: transient, deferred: later } = stats.getProgress()
  const exits: Exit[] = ['ok']
  if (ending !== undefined) exits.push(ending.exit)
  if (documents.failed > transient || unmatched.length > 0) exits.push('failed')
  if (transient > 0 || later > 0) exits.push('later')
  return chooseExit(exits)
}
