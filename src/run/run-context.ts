import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { PriceOf } from '../core/pricing/pricing-rules.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import { createShutdown, type Shutdown } from '../engine/shutdown.ts'
import { createDocumentReader, type ReadDocument } from '../inputs/read/read-document.ts'
import type { Runtime } from '../runtime.ts'
import { createReporter, type Reporter } from '../ui/reporter.ts'
import { checkModelNames } from './check-model-names.ts'
import { createPricing, formatRetirements } from './pricing.ts'
import { createProvider, type Provider } from './provider.ts'
import type { PromptChoice, RunRequests } from './request-builder.ts'
import { createResourceStack, type ResourceStack } from './resource-stack.ts'
import type { RunPlan } from './run-plan.ts'
import { stopOnSignals } from './stop-on-signals.ts'

/** The resources and settings that all steps of a run share. No field is added after its creation. */
export interface RunContext {
  readonly options: SummarizeOptions
  readonly runtime: Runtime
  /** The version of claude-batch. */
  readonly version: string
  /** When the run started, in milliseconds of `clock.now()`. */
  readonly startMs: number
  readonly provider: Provider
  readonly baseUrl: string
  readonly promptChoice: PromptChoice
  /** Undefined for a run that only collects batches. */
  readonly requestBuilder: RunRequests['requestBuilder']
  readonly read: ReadDocument
  readonly priceOf: PriceOf
  /** The spending cap; undefined if spending is not limited. */
  readonly budget: SharedBudget | undefined
  readonly shutdown: Shutdown
  /** Aborted when the run must not start new work. */
  readonly drainSignal: AbortSignal
  readonly reporter: Reporter
  /** Outputs that are closed before the report is written. */
  readonly sinks: ResourceStack
  /** Resources that are closed last, such as the output folder with its lock. */
  readonly resources: ResourceStack
  /** Stops listening to signals and closes what is still open. */
  close(): Promise<void>
}

/**
 * Creates the context of a run: signal handlers, reporter, provider, prompts and prices. Warns about retired
 * models.
 * @throws UsageError for an invalid setting
 */
export async function createRunContext(
  plan: RunPlan,
  options: SummarizeOptions,
  runtime: Runtime,
  version: string,
): Promise<RunContext> {
  const shutdown = createShutdown()
  const reporter = createReporter({ ...runtime, ...options })
  const { encoding, pdf } = options
  const read =
    plan.read ??
    createDocumentReader({
      ...runtime,
      encoding,
      pdf,
      citations: plan.requests.promptChoice.citations,
      converters: { ...runtime, commands: options.convert, signal: shutdown.drainSignal },
      onWarning: reporter.printNote,
    })
  const provider = await createProvider(options, runtime)
  const stopListening = stopOnSignals(runtime, shutdown, reporter.onDrain)
  const sinks = createResourceStack()
  const resources = createResourceStack()
  const ignore = () => {}
  const close = async () => {
    stopListening()
    reporter.stop()
    await sinks.close(ignore)
    // Connections are closed first: reading the lock file needs a free file descriptor.
    try {
      await provider.close()
    } finally {
      await resources.close(ignore)
    }
  }
  try {
    const { baseUrl } = provider
    const { promptChoice, requestBuilder } = plan.requests
    checkModelNames(promptChoice.models, baseUrl, options.modelId)
    const pricing = createPricing(options, promptChoice.models)
    for (const text of formatRetirements(options, promptChoice.models, runtime.clock.wallTime()))
      reporter.printMessage(text)
    return {
      options,
      runtime,
      version,
      startMs: plan.startMs,
      provider,
      baseUrl,
      promptChoice,
      requestBuilder,
      read,
      priceOf: pricing.priceOf,
      budget: plan.budget ?? pricing.budget,
      shutdown,
      drainSignal: shutdown.drainSignal,
      reporter,
      sinks,
      resources,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
