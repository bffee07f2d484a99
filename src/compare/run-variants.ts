import { join } from 'node:path'
import type { CompareOptions } from '../config/compare-flags.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { computeCwdFromOut } from '../core/document/document-path.ts'
import { AccountError } from '../core/errors/run-error.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { RunStats } from '../core/run/run-stats.ts'
import type { Shutdown } from '../engine/shutdown.ts'
import { summarizeDocuments } from '../engine/summarize-documents.ts'
import { writeOutcomes } from '../engine/write-outcomes.ts'
import { createDocumentReader } from '../inputs/read/read-document.ts'
import { confirmCost } from '../run/confirm-cost.ts'
import { estimateBySize } from '../run/estimate-by-size.ts'
import { addFlagHint } from '../run/flag-hints.ts'
import { openFolderOutput } from '../run/folder-output.ts'
import { instrumentClient } from '../run/instrument.ts'
import { createOutcomeWriter } from '../run/outcome-writer.ts'
import type { FolderOutput } from '../run/output.ts'
import type { Pricing } from '../run/pricing.ts'
import type { Provider } from '../run/provider.ts'
import type { ResourceStack } from '../run/resource-stack.ts'
import { traceRun } from '../run/trace-run.ts'
import type { Runtime } from '../runtime.ts'
import type { RequestLog } from '../sinks/request-log.ts'
import { rejectSymlinks } from '../storage/fs/symlinks.ts'
import { type LatestResult, readLatestResults } from '../storage/ledger/latest-results.ts'
import { getEventWriter } from '../ui/event-streams.ts'
import type { Reporter } from '../ui/reporter.ts'
import { interleave } from './interleave.ts'
import type { ComparedVariant } from './variants.ts'

export interface RunVariantsOptions {
  readonly summarizeOptions: SummarizeOptions
  readonly options: CompareOptions
  /** The absolute path of the comparison's folder. */
  readonly out: string
  readonly runtime: Runtime
  readonly version: string
  readonly provider: Provider
  readonly shutdown: Shutdown
  readonly pricing: Pricing
  readonly reporter: Reporter
  readonly log: RequestLog | undefined
  /** Closed at the end of the command. */
  readonly resources: ResourceStack
}

/** Results of the variants, from this run and earlier ones. */
export interface VariantsRun<Asking extends ComparedVariant = ComparedVariant> {
  readonly variants: readonly {
    readonly variant: Asking
    readonly results: ReadonlyMap<string, LatestResult>
  }[]
  readonly runStats: RunStats
}

/**
 * Sends the pending documents of all variants, interleaved, and returns the results of all documents.
 * @param unit the noun for one result in the cost confirmation, such as `answer`
 */
export async function runVariants<
  Asking extends ComparedVariant & { readonly sources: readonly DocumentRef[] },
>(
  variants: readonly Asking[],
  unit: string,
  {
    summarizeOptions,
    options,
    out,
    runtime,
    version,
    provider,
    shutdown,
    pricing,
    reporter,
    log,
    resources,
  }: RunVariantsOptions,
): Promise<VariantsRun<Asking>> {
  const { baseUrl } = provider
  const models = [...new Set(variants.map(({ promptChoice }) => promptChoice.model))].join(', ')
  const { drainSignal } = shutdown
  const outputs: FolderOutput[] = []
  for (const { folder, promptChoice, sources } of variants) {
    const outputOptions = {
      options: summarizeOptions,
      runtime,
      promptChoice,
      version,
      baseUrl,
      drainSignal,
    }
    // A folder output trusts its own folder. But the user named only the comparison's folder, so links are
    // refused here.
    rejectSymlinks(out, join(out, folder))
    outputs.push(resources.add(await openFolderOutput(join(out, folder), sources, outputOptions)))
  }
  const sources = [...new Set(variants.flatMap(({ sources }) => sources))].sort((a, b) => a.index - b.index)
  const { tasks: pendingRequests, armFor } = interleave(sources, variants, outputs)
  const estimateCosts = () =>
    variants.map(({ promptChoice, requestBuilder }, n) => {
      const { pending = [], folder } = outputs[n] ?? {}
      const { documents, liveCost: live } = estimateBySize(pending, folder?.history ?? new Map(), {
        promptChoice,
        requestBuilder,
        priceOf: pricing.priceOf,
      })
      return { documents, cost: live }
    })
  await confirmCost(estimateCosts, unit, { options, runtime, drainSignal })

  const client = pendingRequests.length === 0 ? undefined : (await provider.connect()).ask
  const { ask, semaphore, stats } = instrumentClient(client, {
    options: summarizeOptions,
    runtime,
    shutdown,
    ...pricing,
    reporter,
    log,
    model: variants[0]?.promptChoice.model ?? '',
    pendingCount: pendingRequests.length,
    upToDate: outputs.flatMap(({ upToDate }) => upToDate),
    startMs: runtime.clock.now(),
    provider,
  })
  const runTrace = traceRun({}, provider, runtime)
  const outcomes = summarizeDocuments({
    sources: pendingRequests,
    read: createDocumentReader({
      ...runtime,
      encoding: summarizeOptions.encoding,
      pdf: summarizeOptions.pdf,
      citations: variants.some(({ promptChoice }) => promptChoice.citations),
      converters: { ...runtime, commands: summarizeOptions.convert, signal: drainSignal },
      onWarning: reporter.printNote,
    }),
    buildRequest: (document) => armFor(document.ref).requestBuilder.buildRequest(document),
    planChunks: async (document) => armFor(document.ref).requestBuilder.chunker?.planChunks(document),
    checkConflict: async (source, hash) => armFor(source).output.folder.checkConflict(source, hash),
    persist: async (outcome) => armFor(outcome.document).output.folder.persist(outcome),
    ask,
    addHint: addFlagHint,
    toRunError: (error) => new AccountError(error, models, baseUrl),
    semaphore,
    shutdown,
    clock: runtime.clock,
    traceDocument: runTrace.traceDocument,
  })
  const sink = {
    write: (outcome: Outcome) => armFor(outcome.document).output.sink.write(outcome),
    async close() {},
  }
  const { recordOutcome: onDelivered } = runTrace
  await writeOutcomes(
    outcomes,
    createOutcomeWriter(sink, { stats, reporter, shutdown, onDelivered }),
  ).finally(() => {
    reporter.stop()
    runTrace.end(stats.getStats(0))
  })
  for (const { sink } of outputs) await sink.close().catch((error: Error) => shutdown.drain(error))
  const results = await Promise.all(
    variants.map(async (variant) => ({
      variant,
      results: await readLatestResults(
        join(out, variant.folder),
        computeCwdFromOut(join(out, variant.folder), runtime.cwd),
      ),
    })),
  )
  const runStats = stats.getStats(0)
  getEventWriter(runtime.stderr)?.addResults(runStats)
  return { variants: results, runStats }
}
