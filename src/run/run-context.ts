import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { PriceOf } from '../core/pricing/pricing-rules.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import { createShutdown, type Shutdown } from '../engine/shutdown.ts'
import { createDocumentReader, type ReadDocument } from '../inputs/read/read-document.ts'
import type { Runtime } from '../runtime.ts'
import { createReporter, type Reporter } from '../ui/reporter.ts'
import { createPricing, formatRetirements } from './pricing.ts'
import { createProvider, type Provider } from './provider.ts'
import type { PromptChoice, RunRequests } from './request-builder.ts'
import { createResourceStack, type ResourceStack } from './resource-stack.ts'
import type { RunPlan } from './run-plan.ts'
import { stopOnSignals } from './stop-on-signals.ts'

/** What all steps of a run share. It is complete when it is created. */
export interface RunContext {
  readonly options: SummarizeOptions
  readonly runtime: Runtime
  /** Of the program. */
  readonly version: string
  /** When the run began, by the clock: milliseconds. */
  readonly startMs: number
  readonly provider: Provider
  readonly baseUrl: string
  readonly promptChoice: PromptChoice
  /** Undefined for a run that only collects batches. */
  readonly requestBuilder: RunRequests['requestBuilder']
  readonly read: ReadDocument
  readonly priceOf: PriceOf
  /** What may be spent; no bound, if undefined. */
  readonly budget: SharedBudget | undefined
  readonly shutdown: Shutdown
  /** Aborted: nothing new begins. */
  readonly drainSignal: AbortSignal
  readonly reporter: Reporter
  /** What is written to; closed before the report is made. */
  readonly sinks: ResourceStack
  /** What is closed at the very end, such as the output folder with its lock. */
  readonly resources: ResourceStack
  /** Stops listening to signals and closes what is still open. */
  close(): Promise<void>
}

/**
 * Connects a plan with the program around it: signals, terminal, service and prices.
 * @throws UsageError for a setting that cannot be used
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
  const read = plan.read ?? createDocumentReader({ ...runtime, encoding, pdf, onWarning: reporter.printNote })
  const provider = await createProvider(options, runtime)
  const stopListening = stopOnSignals(runtime, shutdown, reporter.onDrain)
  const sinks = createResourceStack()
  const resources = createResourceStack()
  const ignore = () => {}
  const close = async () => {
    stopListening()
    reporter.stop()
    await sinks.close(ignore)
    // The connections before the lock, which cannot be read where every file descriptor is in use.
    try {
      await provider.close()
    } finally {
      await resources.close(ignore)
    }
  }
  try {
    const { baseUrl } = provider
    const { promptChoice, requestBuilder } = plan.requests
    const pricing = createPricing(options, promptChoice.models)
    for (const text of formatRetirements(promptChoice.models, runtime.clock.wallTime()))
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
