import { relative, sep } from 'node:path'
import { dedupeRequests } from '../core/chunking/chunk-plan.ts'
import type { Document, DocumentRef, InputProblem } from '../core/document/document.ts'
import { notFailedProblem } from '../core/document/overwrite-policy.ts'
import {
  addObservation,
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
import { computeWorstCaseCost } from '../core/pricing/budget-state.ts'
import { formatExactUsd, type Picodollars } from '../core/pricing/pricing-rules.ts'
import { defaultLatency, maxPoolSize } from '../core/rate-limit/pool-size.ts'
import { countPromptCharacters, type Request } from '../core/request/request.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { replaceLoneSurrogates } from '../core/text/replace-lone-surrogates.ts'
import { detectTextKind } from '../core/text/text-kind.ts'
import { runPool } from '../engine/run-pool.ts'
import type { Exit } from '../errors.ts'
import { earlierReportProblem } from '../inputs/find/earlier-output.ts'
import { writeNamedFile } from '../storage/fs/named-file.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'
import { isDigest, type KnownSummary } from '../storage/ledger/known-summary.ts'
import { readLedger } from '../storage/ledger/read-ledger.ts'
import { ledgerPath } from '../storage/output-folder.ts'
import { listStoredBatches } from '../storage/stored-batches.ts'
import { createSummaryFiles } from '../storage/summary-files.ts'
import { formatEstimate } from '../ui/format-estimate.ts'
import { resolvePlanningLimits } from './planning-limits.ts'
import type { RequestBuilder } from './request-builder.ts'
import type { RunContext } from './run-context.ts'
import type { RunPlan } from './run-plan.ts'
import { createTokenCounter } from './token-counter.ts'

/** Reads all documents and says what a run would do and cost. Writes nothing but what it says, and asks nothing that costs. */
export async function dryRun(plan: RunPlan, context: RunContext): Promise<Exit> {
  const { sources, out } = plan
  const { options, runtime, read, requestBuilder, priceOf, provider, drainSignal } = context
  const outputState = await readOutputState(out, sources, context)
  const countTokens = options.tokenCount === 'exact' ? await createTokenCounter(provider, context) : undefined
  const skipped = Object.fromEntries([...(plan.skipped ?? [])].map(([type, { count }]) => [type, count]))
  const [plannedRequests, counts]: [PlannedRequest[], DryRunCounts] = [
    [],
    { up_to_date: 0, skipped, failed: {} },
  ]
  let worstCaseTotal: Picodollars | undefined = 0n
  let documents = 0

  const inspectSource = async (
    source: DocumentRef,
  ): Promise<readonly PlannedRequest[] | InputProblem | 'unchanged'> => {
    if (!source.namedByUser && isDigest(outputState.made.get(source.path)?.run?.prompt))
      return earlierReportProblem
    if (outputState.isUpToDate(source)) return 'unchanged'
    if (outputState.isLeftOut(source.path)) return notFailedProblem
    if (outputState.inBatches.has(source.path)) return inBatchProblem
    const document = source.problem ?? (await read(source))
    if ('action' in document) return document
    const chunkPlan = await requestBuilder.planChunks(document)
    if (chunkPlan !== undefined && 'action' in chunkPlan) return chunkPlan
    const requests =
      chunkPlan === undefined
        ? [requestBuilder.buildRequest(document)]
        : [...dedupeRequests(chunkPlan.requests), chunkPlan.expectedFinalRequest]
    const key = chunkPlan?.requestHash ?? requests[0]?.hash ?? ''
    const conflict = await outputState.checkConflict(source, { requestHash: key })
    if (conflict !== undefined) return conflict.type === 'unchanged' ? 'unchanged' : conflict
    const sourceRequests: PlannedRequest[] = []
    for (const request of requests) {
      const worstCaseCost = computeWorstCaseCost(request, priceOf)
      worstCaseTotal =
        worstCaseTotal === undefined || worstCaseCost === undefined
          ? undefined
          : worstCaseTotal + worstCaseCost
      const tokens = await countTokens?.(request, drainSignal)
      if (typeof tokens === 'object') return tokens
      const planned = toPlannedRequest(request, document, requestBuilder)
      // What earlier documents came to says nothing about parts.
      const prompt = chunkPlan === undefined ? planned.prompt : `${planned.prompt}, in chunks`
      sourceRequests.push({ ...planned, prompt, ...(tokens !== undefined && { countedTokens: tokens }) })
    }
    return sourceRequests
  }
  const inspected = runPool(sources, { getLimit: () => maxOpenFiles }, async (source) => ({
    source,
    as: await inspectSource(source),
  }))
  for await (const { source, as: result } of inspected) {
    drainSignal.throwIfAborted()
    if (result === 'unchanged') counts.up_to_date++
    else if ('action' in result)
      increment(result.action === 'skip' ? counts.skipped : counts.failed, result.type)
    else {
      documents++
      plannedRequests.push(...result)
    }
    if (options.verbose)
      runtime.stderr.write(`${escapeControlChars(`${source.path}: ${describeResult(result)}`)}\n`)
  }

  const expected = estimateCost(plannedRequests, outputState.history, priceOf)
  const { limits, from } = resolvePlanningLimits(options, outputState.lastRunEnd)
  const estimate: EstimateJson = {
    format: 'claude-batch estimate',
    format_version: estimateFormatVersion,
    created_at: new Date(runtime.clock.wallTime()).toISOString(),
    prompt: requestBuilder.prompt,
    model: requestBuilder.model,
    documents: { pending: documents, ...counts },
    input_tokens: expected.inputTokens,
    output_tokens: expected.outputTokens,
    cost_usd: { live: toUsdRange(expected.liveCost), batch: toUsdRange(expected.batchCost) },
    worst_case_usd: worstCaseTotal === undefined ? null : Number(formatExactUsd(worstCaseTotal)),
    requests_with_history: expected.withHistory,
    token_count: options.tokenCount,
    time: estimateTime(expected, limits, from, defaultLatency * 1000, options.concurrency ?? maxPoolSize),
  }
  await createStreamWriter(
    runtime.stdout,
    'stdout',
  )(formatEstimate(estimate, { origin: requestBuilder.promptSource, simulated: options.simulate }))
  const { report } = plan.namedOutputs
  if (report !== undefined)
    await writeNamedFile(
      report,
      `${JSON.stringify(replaceLoneSurrogates(estimate), null, 2)}\n`,
      `${runtime.pid}-estimate`,
    )
  return 'ok'
}

const inBatchProblem: InputProblem = {
  action: 'skip',
  type: 'in_batch',
  message: 'it is in a batch that is not collected yet',
}

/** Files open at once. */
const maxOpenFiles = 16

interface DryRunCounts {
  up_to_date: number
  readonly skipped: Record<string, number>
  readonly failed: Record<string, number>
}

function increment(counts: Record<string, number>, type: string): void {
  counts[type] = (counts[type] ?? 0) + 1
}

function toPlannedRequest(
  request: Request,
  { ref: source, text }: Document,
  requestBuilder: RequestBuilder,
): PlannedRequest {
  const { model, maxTokens } = request
  const { prompt } = requestBuilder.getProvenance(source.path)
  return {
    prompt,
    model,
    maxTokens,
    characters: countPromptCharacters(request),
    kind: detectTextKind(source.path, text),
  }
}

function describeResult(result: readonly PlannedRequest[] | InputProblem | 'unchanged'): string {
  if (result === 'unchanged') return 'its summary is up to date'
  if ('action' in result)
    return `${result.action === 'skip' ? 'would be skipped' : 'would fail'}: ${result.message}`
  const sum = (getValue: (prospect: PlannedRequest) => number) =>
    result.reduce((all, prospect) => all + getValue(prospect), 0)
  const isCounted = result.every(({ countedTokens }) => countedTokens !== undefined)
  const size = isCounted
    ? `${sum(({ countedTokens: tokens = 0 }) => tokens)} tokens`
    : `${sum(({ characters }) => characters)} characters`
  const parts = result.length === 1 ? '' : ` in ${result.length - 1} chunks`
  return `would be summarized${parts}, ${size} of prompt`
}

/** What an output folder tells of earlier runs, without touching it. */
async function readOutputState(
  out: string | undefined,
  sources: readonly DocumentRef[],
  { options, runtime, requestBuilder }: RunContext,
) {
  const history: TokenHistory = new Map()
  if (out === undefined)
    return {
      history,
      lastRunEnd: undefined,
      inBatches: new Set<string>(),
      made: new Map<string, KnownSummary>(),
      isUpToDate: () => false,
      isLeftOut: () => false,
      checkConflict: async () => undefined,
    }
  const cwdFromOut = relative(out, runtime.cwd).split(sep).join('/')
  const ledger = await readLedger(ledgerPath(out), cwdFromOut, (line) => addObservation(history, line))
  const rejectWrites = () => Promise.reject(new Error('a dry run writes nothing'))
  const files = createSummaryFiles(out, sources, {
    outputState: {
      ...ledger,
      persist: rejectWrites,
      confirmUnchanged: rejectWrites,
      close: async () => {},
    },
    findProvenance: requestBuilder.getProvenance,
    foldsCase: false,
    force: options.force,
    frontMatter: false,
    redo: options.redo ?? [],
    structured: requestBuilder.structured,
    clock: runtime.clock,
  })
  const batches = await listStoredBatches({ out, cwdFromOut })
  const paths = batches.flatMap(({ items }) => [...items.values()].map(({ path }) => path))
  return {
    history,
    inBatches: new Set(paths),
    lastRunEnd: ledger.lastEnd,
    made: ledger.summaries,
    isUpToDate: files.isUpToDate,
    isLeftOut: files.isLeftOut,
    checkConflict: files.checkConflict,
  }
}
