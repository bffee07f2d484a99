import { type ExtensionCounts, toExtensionRecord } from '../core/document/extension-counts.ts'
import {
  type CostEstimate,
  estimateCost,
  type PlannedRequest,
  type TokenHistory,
} from '../core/estimate/estimate-cost.ts'
import {
  type EstimateJson,
  estimateFormatVersion,
  estimateTime,
  toUsdRange,
} from '../core/estimate/estimate-json.ts'
import { formatExactUsd, type Picodollars } from '../core/pricing/pricing-rules.ts'
import { defaultLatency, maxPoolSize } from '../core/rate-limit/pool-size.ts'
import type { RunEnd } from '../core/run/ledger-entry.ts'
import { runPool } from '../engine/run-pool.ts'
import type { Exit } from '../errors.ts'
import { writeNamedFile } from '../storage/fs/named-file.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'
import { formatEstimate } from '../ui/format-estimate.ts'
import { getReportFormat } from './named-outputs.ts'
import { describeDocumentPlan, type PlanDocumentOptions, planDocument, sumCosts } from './plan-document.ts'
import { resolvePlanningLimits } from './planning-limits.ts'
import { describePrices } from './pricing.ts'
import { readOutputState } from './read-output-state.ts'
import type { SummaryRequestBuilder } from './request-builder.ts'
import type { RunContext } from './run-context.ts'
import type { RunPlan } from './run-plan.ts'
import { createTokenCounter } from './token-counter.ts'

/**
 * Reads all documents and prints an estimate of what a run would do and cost. Writes only the file of
 * `--report`, and sends no billed request.
 */
export async function dryRun(plan: RunPlan, context: DryRunContext): Promise<Exit> {
  const { sources, out } = plan
  const { options, runtime, promptChoice, priceOf, provider, reporter } = context
  const outputState = out === undefined ? undefined : await readOutputState(out, sources, context)
  const countTokens = options.tokenCount === 'exact' ? await createTokenCounter(provider, context) : undefined
  const planned = await planDocuments(plan, {
    ...context,
    outputState,
    countTokens,
    plannedHashes: new Set(outputState?.batchedHashes),
  })
  const history: TokenHistory = outputState?.history ?? new Map()
  const expected = estimateCost(planned.requests, history, priceOf)
  const estimate = createEstimate(planned, expected, outputState?.lastRunEnd, plan.notRead, context)
  const origin = promptChoice.promptSource
  const estimateContext = {
    origin,
    simulated: options.simulate,
    prices: describePrices(options, promptChoice.models),
    hasBatches: provider.traits.hasBatches,
  }
  const { report } = plan.namedOutputs
  // A program that reads the estimate from stdout expects nothing else there.
  if (report?.stream !== runtime.stdout)
    await createStreamWriter(runtime.stdout, 'stdout')(formatEstimate(estimate, estimateContext))
  reporter.printNotRead(plan.notRead)
  if (report !== undefined) {
    const { renderEstimate } = await import('../ui/render-estimate.ts')
    const format = getReportFormat(report.name, report.stream)
    const content = renderEstimate(format, estimate, estimateContext)
    await writeNamedFile(report, content, `${runtime.pid}-estimate`)
  }
  return 'ok'
}

interface DryRunContext extends RunContext {
  readonly requestBuilder: SummaryRequestBuilder
}

interface PlannedDocuments {
  readonly requests: readonly PlannedRequest[]
  readonly documents: EstimateJson['documents']
  readonly worstCaseCost: Picodollars | undefined
}

/** How many documents are read at the same time. */
const maxOpenFiles = 16

/** Plans the requests of all documents. @throws the reason of the shutdown if the run is stopped */
async function planDocuments(
  { sources, skipped }: RunPlan,
  context: DryRunContext & PlanDocumentOptions,
): Promise<PlannedDocuments> {
  const { reporter, drainSignal } = context
  const requests: PlannedRequest[] = []
  const worstCaseCosts: (Picodollars | undefined)[] = []
  const counts = {
    pending: 0,
    up_to_date: 0,
    skipped: Object.fromEntries([...(skipped ?? [])].map(([type, { count }]) => [type, count])),
    failed: {},
  }
  const plans = runPool(sources, { getLimit: () => maxOpenFiles }, async (source) => ({
    source,
    plan: await planDocument(source, context),
  }))
  for await (const { source, plan } of plans) {
    drainSignal.throwIfAborted()
    if (plan === 'up_to_date') counts.up_to_date++
    else if ('action' in plan) increment(plan.action === 'skip' ? counts.skipped : counts.failed, plan.type)
    else {
      counts.pending++
      requests.push(...plan.requests)
      worstCaseCosts.push(plan.worstCaseCost)
    }
    reporter.printDetail(`${source.path}: ${describeDocumentPlan(plan)}`)
  }
  return { requests, documents: counts, worstCaseCost: sumCosts(worstCaseCosts) }
}

function increment(counts: Record<string, number>, type: string): void {
  counts[type] = (counts[type] ?? 0) + 1
}

function createEstimate(
  { documents, worstCaseCost }: PlannedDocuments,
  expected: CostEstimate,
  lastRunEnd: RunEnd | undefined,
  notRead: ExtensionCounts | undefined,
  { options, runtime, promptChoice, provider }: RunContext,
): EstimateJson {
  const { limits, from } = resolvePlanningLimits(options, lastRunEnd)
  return {
    format: 'claude-batch estimate',
    format_version: estimateFormatVersion,
    created_at: new Date(runtime.clock.wallTime()).toISOString(),
    prompt: promptChoice.prompt,
    model: promptChoice.model,
    documents,
    ...(notRead !== undefined && { not_read_by_extension: toExtensionRecord(notRead) }),
    input_tokens: expected.inputTokens,
    output_tokens: expected.outputTokens,
    cost_usd: {
      live: toUsdRange(expected.liveCost),
      batch: provider.traits.hasBatches ? toUsdRange(expected.batchCost) : null,
    },
    worst_case_usd: worstCaseCost === undefined ? null : Number(formatExactUsd(worstCaseCost)),
    requests_with_history: expected.withHistory,
    token_count: options.tokenCount,
    time: estimateTime(expected, limits, from, defaultLatency * 1000, options.concurrency ?? maxPoolSize),
  }
}
