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
  /**
   * The paths of documents that are pending or failed with a transient error. The next run always retries
   * them.
   */
  readonly unfinished: ReadonlySet<string>
  /** The rest of the budget, for a following run; undefined if spending is not limited. */
  readonly budget: SharedBudget | undefined
}

/**
 * Executes a planned run: opens the output, sends the pending documents, writes their outcomes and reports on
 * them. With `--dry-run`, only prints an estimate.
 * @throws UsageError, RunError if the run cannot start
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
