import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import type { Exit } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import { executeRun } from './execute-run.ts'
import { finishRun } from './finish-run.ts'
import { prepareRun } from './prepare-run.ts'
import { createRunContext } from './run-context.ts'
import type { RunPlan } from './run-plan.ts'

/** How a run ended. */
export interface RunResult {
  readonly exit: Exit
  /** The paths of documents that the next run takes up, whatever else it does: pending, or failed for now. */
  readonly unfinished: ReadonlySet<string>
  /** What is left to spend, for a run that follows; no bound, if undefined. */
  readonly budget: SharedBudget | undefined
}

/**
 * Does what was planned: opens the output and decides what to send, sends it and writes the outcomes, and accounts for
 * all of it.
 * @throws UsageError, RunError where the run cannot begin
 */
export async function run(
  plan: RunPlan,
  options: SummarizeOptions,
  runtime: Runtime,
  version: string,
): Promise<RunResult> {
  const context = await createRunContext(plan, options, runtime, version)
  const { budget } = context
  try {
    const { requestBuilder } = context
    if (options.dryRun && requestBuilder !== undefined) {
      const { dryRun } = await import('./dry-run.ts')
      return { exit: await dryRun(plan, { ...context, requestBuilder }), unfinished: new Set(), budget }
    }
    const prepared = await prepareRun(plan, context)
    const executed = await executeRun(plan, prepared, context)
    const exit = await finishRun(plan, prepared, executed, context)
    return { exit, unfinished: executed.unfinished, budget }
  } finally {
    await context.close()
  }
}
