import { relative } from 'node:path'
import { defaultOutputFolder } from '../config/flags/output-flags.ts'
import { failedBeforeType } from '../core/document/kept-results.ts'
import { redoesAll } from '../core/document/redo.ts'
import { createRunEnd } from '../core/run/run-end.ts'
import type { RunStats, StatsCollector } from '../core/run/run-stats.ts'
import { pluralize } from '../core/text/format-number.ts'
import { chooseExit, describeStop, type Ending, type Exit, formatResumeHint } from '../errors.ts'
import { getEventWriter } from '../ui/event-streams.ts'
import type { ExecutedRun } from './execute-run.ts'
import type { PreparedRun } from './prepare-run.ts'
import { describeCost } from './pricing.ts'
import type { RunContext } from './run-context.ts'
import type { RunPlan } from './run-plan.ts'

/**
 * Records how the run ended, closes its outputs, writes the report and prints the summary.
 * @returns the exit of the run
 * @throws the error that stopped the run, if it is a bug
 */
export async function finishRun(
  plan: RunPlan,
  { output, report }: PreparedRun,
  { stats, rateLimiter }: ExecutedRun,
  context: RunContext,
): Promise<Exit> {
  const { options, runtime, shutdown, promptChoice, reporter, budget, startMs, sinks } = context
  const { out } = plan
  const fail = (error: Error) => shutdown.drain(error)
  const runStats = stats.getStats(runtime.clock.now() - startMs)
  const endedAt = new Date(runtime.clock.wallTime()).toISOString()
  const stopReason = describeStop(shutdown.drainSignal.reason)?.text
  const runEnd = createRunEnd(
    output.runStart.run_id,
    endedAt,
    runStats,
    rateLimiter.getStats(),
    stopReason,
    plan.notRead,
  )
  await output.folder?.recordEnd(runEnd).catch(fail)
  await sinks.close(fail)
  await report.write(output.runStart, runEnd).catch(fail)

  const ending = describeStop(shutdown.drainSignal.reason)
  getEventWriter(runtime.stderr)?.addResults(runStats)
  if (ending?.exit !== 'brokenPipe') {
    reporter.printSummary(runStats, {
      prompt: `${promptChoice.prompt} (${promptChoice.promptSource})`,
      model: promptChoice.model,
      limiterStats: rateLimiter.getStats(),
      ...(budget !== undefined && { budget: budget.getBudget() }),
      costNote: describeCost(options, promptChoice.models),
      onlyCollects: plan.requests.requestBuilder === undefined,
      rerunReasons: output.folder?.rerunReasons ?? new Map(),
      ...(out !== undefined && { out: options.out ?? defaultOutputFolder }),
    })
    reporter.printNotRead(plan.notRead)
    if (ending !== undefined) {
      const hint = findResumeHint(ending, stats, redoesAll(options.redo ?? []) ? undefined : out)
      reporter.printMessage(`${ending.text}${hint}`)
    }
  }
  const failedBefore = runStats.skippedByReason.get(failedBeforeType)?.count ?? 0
  if (failedBefore > 0)
    reporter.printMessage(
      `${pluralize(failedBefore, 'document')} failed in an earlier run and would fail again; see the .error.txt ${failedBefore === 1 ? 'file' : 'files'}, then use --redo failed to send ${failedBefore === 1 ? 'it' : 'them'} again`,
    )
  const missingFolders = await reportMissingFolders(plan, output, context)
  if (missingFolders === 0 && isEmpty(runStats) && plan.emptyFolders !== undefined)
    reporter.printNote(
      plan.shard !== undefined && plan.emptyFolders.length === 0
        ? 'no documents in this shard'
        : 'no documents found; check --ext (the extensions that claude-batch reads), --exclude, --hidden and --no-ignore',
    )
  if (output.isInputEmpty?.()) return 'noInput'
  const exit = chooseRunExit(stats, plan.unmatched.length + failedBefore > 0, ending)
  return missingFolders === 0 ? exit : chooseExit([exit, 'noInput'])
}

/** Returns a hint to run the command again; empty on stdout, which keeps no record of finished documents. */
function findResumeHint(ending: Ending, stats: StatsCollector, out: string | undefined): string {
  const { pending } = stats.getProgress().documents
  return out === undefined || pending === 0 ? '' : formatResumeHint(ending)
}

/** Whether the run found no documents, not even documents to skip. */
function isEmpty({ documents }: RunStats): boolean {
  return Object.values(documents).every((count) => count === 0)
}

/** Reports input folders whose documents have all disappeared since the last run. Returns their number. */
async function reportMissingFolders(
  { emptyFolders = [] }: RunPlan,
  { folder: state }: PreparedRun['output'],
  { runtime, reporter, options }: RunContext,
): Promise<number> {
  let missing = 0
  for (const folder of emptyFolders) {
    const count = (await state?.countMissing(folder)) ?? 0
    if (count === 0) continue
    missing++
    const [name, out] = [relative(runtime.cwd, folder) || '.', options.out ?? defaultOutputFolder]
    reporter.printMessage(
      `${name} is empty, but ${out} has ${pluralize(count, 'summary', 'summaries')} of documents in it; if its disk is not mounted, mount it and run the same command again; if the documents were deleted, run: claude-batch report ${out} --prune --gone ${name}`,
    )
  }
  return missing
}

function chooseRunExit(stats: StatsCollector, isIncomplete: boolean, ending: Ending | undefined): Exit {
  const { documents, transientFailures, deferred } = stats.getProgress()
  const exits: Exit[] = ['ok']
  if (ending !== undefined) exits.push(ending.exit)
  if (documents.failed > transientFailures || isIncomplete) exits.push('failed')
  if (transientFailures > 0 || deferred > 0) exits.push('temporaryFailure')
  return chooseExit(exits)
}
