import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { DocumentRef } from '../core/document/document.ts'
import { addObservation, type TokenHistory } from '../core/estimate/estimate-cost.ts'
import { selectSample } from '../core/estimate/select-sample.ts'
import { sumAttemptCosts } from '../core/pricing/document-cost.ts'
import { formatUsd } from '../core/pricing/pricing-rules.ts'
import type { Outcome } from '../core/run/outcome.ts'
import { toLedgerEntry } from '../core/run/to-ledger-entry.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatInteger } from '../core/text/format-number.ts'
import type { Runtime } from '../runtime.ts'
import { printMessage } from '../ui/print-message.ts'
import type { Reporter } from '../ui/reporter.ts'
import { askUser } from './ask-user.ts'
import { formatCostRange } from './confirm-cost.ts'
import { type EstimateContext, estimateBySize } from './estimate-by-size.ts'
import type { FolderState } from './output.ts'

/** Processes a sample of the documents first, and the rest if the user agrees. */
export interface Sampling {
  /** Selects a sample and yields it. Then yields the rest, if the user agrees. */
  takeSampleFirst(pending: readonly DocumentRef[]): AsyncIterable<DocumentRef>
  /** Call this with each outcome after it is written. */
  observe(outcome: Outcome): void
  /** Returns the rest as pending outcomes, if the user declined it; else nothing. */
  listDeclined(): readonly Outcome[]
}

export interface SamplingOptions extends EstimateContext {
  readonly options: Pick<SummarizeOptions, 'sample' | 'yes'>
  readonly runtime: Runtime
  readonly reporter: Reporter
  /** Aborted when the run is stopped: the user is not asked any more. */
  readonly drainSignal: AbortSignal
}

/**
 * Creates the sampling of `--sample`; undefined if the flag is not set. After the sample, prints its cost and
 * the expected cost of all documents, and asks whether to continue.
 */
export function createSampling(
  { formatSummaryPath }: Pick<FolderState, 'formatSummaryPath'>,
  { options: { sample: count, yes }, runtime, reporter, drainSignal, ...estimateContext }: SamplingOptions,
): Sampling | undefined {
  if (count === undefined) return undefined
  let samplePaths: ReadonlySet<string> = new Set()
  const outcomes: Outcome[] = []
  let declined: readonly DocumentRef[] = []
  let resolveSampleDone = () => {}
  const sampleDone = new Promise<void>((resolve) => {
    resolveSampleDone = resolve
  })
  drainSignal.addEventListener('abort', resolveSampleDone, { once: true })

  const confirmRest = async (rest: readonly DocumentRef[]) => {
    const print = (text: string) => printMessage(runtime, text, '\n')
    print(formatSampleResult(outcomes, rest, formatSummaryPath, estimateContext))
    if (yes) return true
    const answer = await askUser(runtime, `Continue with the other ${rest.length}?`, drainSignal)
    if (answer === undefined)
      print('the sample is done; run the same command without --sample, or with --yes, for the rest')
    return answer === true
  }
  async function* takeSampleFirst(pending: readonly DocumentRef[]) {
    const sizedSources = pending.map((source) => ({
      source,
      path: source.path,
      size: source.stats?.size ?? 0,
    }))
    const sampleSources = selectSample(sizedSources, count ?? 0).map(({ source }) => source)
    samplePaths = new Set(sampleSources.map(({ path }) => path))
    const rest = pending.filter(({ path }) => !samplePaths.has(path))
    yield* sampleSources
    if (rest.length === 0) return
    await sampleDone
    // A signal may stop the run during the question. The rest is then yielded too and reported as pending.
    const shouldContinue =
      drainSignal.aborted ||
      (await reporter.suspend(() => confirmRest(rest)).catch(() => drainSignal.aborted))
    if (shouldContinue) yield* rest
    else declined = rest
  }
  return {
    takeSampleFirst,
    observe(outcome) {
      // Other outcomes come from batches of earlier runs.
      if (!samplePaths.has(outcome.document.path)) return
      outcomes.push(outcome)
      if (outcomes.length === samplePaths.size) resolveSampleDone()
    },
    listDeclined: () =>
      declined.map((source) => ({
        document: source,
        attempts: [],
        elapsedMs: 0,
        status: 'pending',
        reason: 'not in the sample',
      })),
  }
}

/** How many paths of summaries are printed. */
const maxListedPaths = 10

/** Returns the message about the cost of the sample and the expected cost of all documents. */
function formatSampleResult(
  outcomes: readonly Outcome[],
  rest: readonly DocumentRef[],
  formatSummaryPath: (path: string) => string,
  estimateContext: EstimateContext,
): string {
  const summarized = outcomes.filter(({ status }) => status === 'summarized')
  const listedPaths = summarized
    .slice(0, maxListedPaths)
    .map(({ document }) => `  ${escapeControlChars(formatSummaryPath(document.path))}`)
  const moreLine =
    summarized.length > maxListedPaths ? [`  and ${summarized.length - maxListedPaths} more`] : []
  const lines = [
    `sample: ${summarized.length} of ${outcomes.length} summarized:`,
    ...listedPaths,
    ...moreLine,
  ]
  const { cost } = sumAttemptCosts(outcomes.flatMap(({ attempts }) => attempts))
  const { liveCost: live } = estimateRest(outcomes, rest, estimateContext)
  if (cost === undefined || live === undefined) return [...lines, 'their cost is unknown'].join('\n')
  const totalCost = { low: cost + live.low, expected: cost + live.expected, high: cost + live.high }
  const count = formatInteger(outcomes.length + rest.length)
  return [
    ...lines,
    `they cost ${formatUsd(cost)}; all ${count} will cost ${formatCostRange(totalCost)}`,
  ].join('\n')
}

/** Estimates the cost of the rest from the tokens and sizes of the sample. */
function estimateRest(
  outcomes: readonly Outcome[],
  rest: readonly DocumentRef[],
  estimateContext: EstimateContext,
) {
  const history: TokenHistory = new Map()
  let [characters, bytes] = [0, 0]
  for (const outcome of outcomes) {
    const entry = toLedgerEntry(
      outcome,
      '',
      estimateContext.promptChoice.getProvenance(outcome.document.path),
    )
    if (entry?.type !== 'document') continue
    addObservation(history, entry)
    characters += entry.characters ?? 0
    bytes += entry.size_bytes ?? 0
  }
  return estimateBySize(rest, history, estimateContext, bytes === 0 ? 1 : Math.min(1, characters / bytes))
}
