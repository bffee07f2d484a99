import type { ClaudeClient } from '../claude/claude-client.ts'
import { chooseMode, type ModeChoice } from '../core/batch/choose-mode.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { redoesOnlyTargets } from '../core/document/redo.ts'
import type { TokenHistory } from '../core/estimate/estimate-cost.ts'
import { estimateTime } from '../core/estimate/estimate-json.ts'
import { defaultLatency, maxPoolSize } from '../core/rate-limit/pool-size.ts'
import type { Sink } from '../core/run/sink.ts'
import { openRequestLog, type RequestLog } from '../sinks/request-log.ts'
import { hasLedger } from '../storage/output-folder.ts'
import { writeShardRecord } from '../storage/shard-file.ts'
import { confirmCost } from './confirm-cost.ts'
import { type EstimateContext, estimateBySize } from './estimate-by-size.ts'
import { openFolderOutput } from './folder-output.ts'
import { chooseOtherSettings } from './other-settings.ts'
import type { FolderState, Output } from './output.ts'
import { resolvePlanningLimits } from './planning-limits.ts'
import { createReportWriter, type ReportWriter } from './report-writer.ts'
import type { RunContext } from './run-context.ts'
import type { RunPlan } from './run-plan.ts'
import { openStdoutOutput } from './stdout-output.ts'
import { applyWindowBudget } from './window-budget.ts'

/** A run that is ready to send: its output is open, and the user agreed to the cost. */
export interface PreparedRun {
  /** The output, with the documents to summarize after the user was asked about them. */
  readonly output: Output
  /** Documents whose summary is kept although it was made with other settings. */
  readonly kept: readonly DocumentRef[]
  /** Writes the outcomes to the output. On stdout, which keeps no record, the report records them too. */
  readonly sink: Sink
  readonly report: ReportWriter
  readonly log: RequestLog | undefined
  /** Whether documents go into message batches. */
  readonly shouldSubmit: boolean
  /** Whether the run submits batches or collects those of earlier runs. */
  readonly usesBatches: boolean
  /** Undefined if the run sends no requests. */
  readonly client: Pick<ClaudeClient, 'ask' | 'batches'> | undefined
}

/**
 * Opens the output, chooses between live requests and batches, and asks the user to confirm an expensive run.
 * A first run writes nothing before the user agrees.
 * @throws UsageError, RunError if the run cannot start
 */
export async function prepareRun(plan: RunPlan, context: RunContext): Promise<PreparedRun> {
  const { out } = plan
  const {
    options,
    runtime,
    version,
    promptChoice,
    requestBuilder,
    provider,
    shutdown,
    reporter,
    sinks,
    resources,
  } = context
  const requestedMode = options.batch ? 'batch' : options.mode
  const { label, hasBatches, sendsRateLimits } = provider.traits
  // Batches are recorded in the output folder.
  const mode = out === undefined || !hasBatches ? 'live' : requestedMode
  const report = createReportWriter(plan.namedOutputs.report, out, runtime, version)
  const estimateContext = requestBuilder && { ...context, requestBuilder }
  const confirmIfExpensive = async (sources: readonly DocumentRef[], history: TokenHistory) => {
    if (estimateContext === undefined) return
    const estimateCosts = () => {
      const { documents, liveCost, batchCost } = estimateBySize(sources, history, estimateContext)
      return [{ documents, cost: mode === 'batch' ? batchCost : liveCost }]
    }
    await confirmCost(estimateCosts, 'document', context)
  }
  // Without a ledger all documents are pending, so the run can ask before it creates the output folder.
  const isFirstRun = out === undefined || !hasLedger(out)
  const hasNothingToDo = isFirstRun && redoesOnlyTargets(options.redo ?? [])
  if (isFirstRun && !hasNothingToDo) await confirmIfExpensive(plan.sources, new Map())
  const opened = resources.add(
    out === undefined
      ? openStdoutOutput(plan.sources, context, shutdown.abort)
      : await openFolderOutput(out, plan.sources, context),
  )
  const { folder } = opened
  if (out !== undefined && plan.shard !== undefined)
    await writeShardRecord(out, plan.shard, opened.runStart.run_id)
  if (out !== undefined && folder !== undefined) await applyWindowBudget(out, folder.batchStore, context)
  const { kept, pending } = await chooseOtherSettings(opened, plan.asksAboutSettings ?? true, context)
  const output = { ...opened, pending }
  const sink = sinks.add(report.observe(output.sink, promptChoice))
  if (folder !== undefined && !isFirstRun) await confirmIfExpensive(pending, folder.history)

  const choice =
    mode === 'auto' && pending.length > 0 && folder !== undefined && estimateContext !== undefined
      ? chooseRunMode(pending, folder, estimateContext)
      : undefined
  if (choice !== undefined) reporter.printNote(choice.reason)
  if (mode !== requestedMode)
    reporter.printNote(
      hasBatches
        ? 'live: batches need an output folder, and this run writes to stdout'
        : `live: ${label} has no batches`,
    )
  const { shouldCollect = true } = plan
  const hasOpenBatches = shouldCollect && (folder?.batchStore.openBatches.length ?? 0) > 0
  const shouldSubmit = (choice?.mode ?? mode) === 'batch'
  const usesBatches = (shouldSubmit && pending.length > 0) || hasOpenBatches
  if (!sendsRateLimits && options.rpm === undefined && pending.length > 1)
    reporter.printNote(`${label} does not send its rate limits; set --rpm to your quota to avoid 429s`)
  const client = pending.length > 0 || usesBatches ? await provider.connect() : undefined

  const { log: namedLog } = plan.namedOutputs
  const log = namedLog && sinks.add(await openRequestLog(namedLog))
  return { output, kept, sink, report, log, shouldSubmit, usesBatches, client }
}

/**
 * Chooses the mode for `--mode auto` by the number of documents, the expected cost and time, and the time
 * limit.
 */
function chooseRunMode(
  pending: readonly DocumentRef[],
  { history, lastRunEnd }: FolderState,
  context: EstimateContext & Pick<RunContext, 'options'>,
): ModeChoice {
  const { options } = context
  const expected = estimateBySize(pending, history, context)
  const { limits, from } = resolvePlanningLimits(options, lastRunEnd)
  const { concurrency = maxPoolSize, timeLimit } = options
  const { duration_ms: liveMs } = estimateTime(expected, limits, from, defaultLatency * 1000, concurrency)
  const deadlineMs = timeLimit === undefined ? undefined : timeLimit * 1000
  return chooseMode({ ...expected, documents: pending.length, liveMs, deadlineMs })
}
