import type { ExtensionCounts } from '../core/document/extension-counts.ts'
import { describeFailure } from '../core/errors/describe-failure.ts'
import { toFailure } from '../core/errors/failure.ts'
import { sumAttemptCosts } from '../core/pricing/document-cost.ts'
import { formatExactUsd, formatUsd } from '../core/pricing/pricing-rules.ts'
import { sumInputTokens } from '../core/pricing/usage.ts'
import { type LimitName, limitLabels } from '../core/rate-limit/limiter-state.ts'
import type { Attempt } from '../core/request/attempt.ts'
import type { RunStart } from '../core/run/ledger-entry.ts'
import { type Outcome, sumUsage } from '../core/run/outcome.ts'
import { toOutcomeFields } from '../core/run/outcome-fields.ts'
import { createRemainingTime } from '../core/run/remaining-time.ts'
import type { RunStats, StatsCollector } from '../core/run/run-stats.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { pluralize } from '../core/text/format-number.ts'
import { createColors } from './colors.ts'
import { describeCode } from './describe-code.ts'
import { getEventWriter, type NewEvent } from './event-streams.ts'
import { formatNotRead } from './format-not-read.ts'
import { formatRunSummary, type RunSummaryContext } from './format-run-summary.ts'
import {
  chooseProgressMode,
  createPlainDisplay,
  type ProgressDisplay,
  type ProgressMode,
  type ProgressState,
  showProgress,
} from './progress.ts'
import type { RunEvent } from './run-event.ts'

export interface ReporterOptions {
  readonly stderr: NodeJS.WriteStream
  /** Returns what stdout is. A pager that reads from it would share the terminal with a bar. */
  readonly getStdoutKind: () => 'closed' | 'file' | 'pipe' | 'stream'
  readonly env: Readonly<Record<string, string | undefined>>
  readonly quiet: boolean
  readonly verbose: boolean
}

/** What the progress display shows. */
interface ProgressOptions {
  readonly mode: 'auto' | 'json' | ProgressMode
  /** The number of documents to process. */
  readonly total: number
  readonly statsCollector: StatsCollector
  /** The rate limit that requests are waiting for, if any. */
  readonly getWaitingLimit: () => LimitName | undefined
  /** The requests per minute that the rate limits allow. */
  readonly getMaxRequestRate: () => number
  /** Milliseconds since the run started. */
  readonly getElapsedMs: () => number
  /** Undefined for a comparison, which has several runs. */
  readonly runStart: RunStart | undefined
  /** Returns the file of a document's summary, for events. */
  readonly locateSummary: ((path: string) => string) | undefined
}

/** Prints everything that a run reports on stderr, during the run and at its end. */
export interface Reporter {
  /** Starts the progress display. */
  startProgress(options: ProgressOptions): void
  /** Called when a request is sent. */
  onSend(): void
  onAttempt(attempt: Attempt): void
  /** Called when all requests pause: for how long, how many pauses in a row this is, and why. */
  onPause(pause: { readonly ms: number; readonly consecutivePauses: number; readonly reason: string }): void
  onOutcome(outcome: Outcome): void
  /**
   * Called when a summary cannot be saved. If it is in the journal, the next run saves it; otherwise it is
   * lost, so the text is printed.
   */
  onUnsaved(outcome: Outcome, isJournaled: boolean): void
  /** Prints a message, even if `quiet` is set. */
  printMessage(text: string): void
  /** Prints a message, unless `quiet` is set. */
  printNote(text: string): void
  /** Prints a line if `verbose` is set. */
  printDetail(text: string): void
  /** Sets the text that replaces the remaining time during a wait without progress; undefined removes it. */
  setWaitingText(getText: (() => string) | undefined): void
  /** Called when a drain begins. */
  onDrain(): void
  /** Hides the progress display while `work` uses the terminal. */
  suspend<T>(work: () => Promise<T>): Promise<T>
  /** Removes the progress display. */
  stop(): void
  /** Prints which files were not read because of their extension, unless `quiet`. */
  printNotRead(counts: ExtensionCounts | undefined): void
  /** Prints the summary of the run. */
  printSummary(stats: RunStats, context: RunSummaryContext): void
}

/**
 * Returns a reporter that prints to stderr: text, or events for other programs. It shows no progress before
 * `startProgress`.
 */
export function createReporter(options: ReporterOptions): Reporter {
  const { stderr, env, quiet, verbose } = options
  const events = getEventWriter(stderr)
  const colors = createColors(stderr, env)
  const remainingTime = createRemainingTime()
  let inFlight = 0
  let isDraining = false
  let getWaitingText: (() => string) | undefined
  const showNothing = () => createPlainDisplay(stderr)
  let show: () => ProgressDisplay = showNothing
  let progress = show()
  let getProgress: (() => ProgressState) | undefined
  let locateSummary: ProgressOptions['locateSummary']
  const printMessage = (text: string, color = (escaped: string) => escaped) =>
    events === undefined
      ? progress.printLine(`claude-batch: ${color(escapeControlChars(text))}`)
      : events.write({ event: 'message', text })
  const printDetail = (text: string) => {
    if (verbose) printMessage(text)
  }
  const formatStopping = () =>
    inFlight === 0 ? 'stopping' : `stopping: waiting for ${pluralize(inFlight, 'request')} in flight`

  return {
    startProgress({ mode, total, statsCollector, getElapsedMs, getWaitingLimit, getMaxRequestRate, ...run }) {
      const skippedBefore = statsCollector.getProgress().documents.skipped
      const getState = () => {
        const { documents, cost } = statsCollector.getProgress()
        const limit = getWaitingLimit()
        const { summarized, skipped, failed } = documents
        const done = summarized + skipped + failed - skippedBefore
        return {
          done,
          total,
          failed,
          cost,
          remainingMs: remainingTime.estimateMs(
            { done, total, elapsedMs: getElapsedMs() },
            getMaxRequestRate(),
          ),
          limitedBy: limit && limitLabels[limit],
          waitingText: isDraining ? formatStopping() : getWaitingText?.(),
        }
      }
      if (events !== undefined) {
        getProgress = getState
        locateSummary = run.locateSummary
        events.write({
          event: 'started',
          documents: total,
          skipped: skippedBefore,
          ...selectRun(run.runStart),
        })
        return
      }
      show = () =>
        showProgress(quiet || mode === 'json' ? 'off' : chooseProgressMode(mode, options), stderr, getState)
      progress = show()
    },
    onSend() {
      inFlight++
    },
    onAttempt(attempt) {
      remainingTime.recordRequest(attempt.elapsedMs, inFlight)
      inFlight--
      if (attempt.error !== undefined) {
        const { path, error } = attempt
        printDetail(`${path}: attempt ${attempt.attemptNumber} failed: ${describeFailure(toFailure(error))}`)
      }
    },
    onPause({ ms, consecutivePauses, reason }) {
      if (events !== undefined) return events.write({ event: 'pause', duration_ms: Math.round(ms), reason })
      if (quiet) return
      // Many short pauses in a row are reported once, when there are enough of them to be an outage.
      if (verbose || ms >= minReportedPauseMs || consecutivePauses === 4)
        printMessage(`paused for ${formatDuration(ms)}: ${reason}`)
    },
    onOutcome(outcome) {
      const state = getProgress?.()
      if (events !== undefined && state !== undefined)
        events.write(toDocumentEvent(outcome, state, locateSummary))
      else if (outcome.status === 'failed') printMessage(formatFailed(outcome), colors.red)
      else printDetail(formatVerbose(outcome))
    },
    onUnsaved(outcome, isJournaled) {
      if (outcome.status !== 'summarized') return
      const problem = `could not save the summary of ${outcome.document.path}`
      const { cost } = sumAttemptCosts(outcome.attempts)
      const price = cost === undefined ? 'its cost is unknown' : `it cost ${formatUsd(cost)}`
      const next = isJournaled
        ? 'the next run saves it without sending a request'
        : `the next run sends and pays for the request again (${price}); the summary:`
      printMessage(`${problem}; ${next}`)
      if (isJournaled) return
      if (events === undefined) progress.printLine(escapeControlChars(outcome.text, '\n\t'))
      else printMessage(outcome.text)
    },
    printMessage: (text) => printMessage(text),
    printNote(text) {
      if (!quiet) printMessage(text)
    },
    printDetail,
    setWaitingText(getText) {
      getWaitingText = getText
    },
    onDrain() {
      if (getWaitingText !== undefined) return
      isDraining = true
      if (inFlight === 0) return
      printMessage(`${formatStopping()} (interrupt again to abort ${inFlight === 1 ? 'it' : 'them'})`)
    },
    async suspend(work) {
      progress.stop()
      try {
        return await work()
      } finally {
        progress = show()
      }
    },
    stop() {
      progress.stop()
      show = showNothing
      progress = show()
    },
    printNotRead(counts = new Map()) {
      if (!quiet && counts.size > 0) printMessage(formatNotRead(counts))
    },
    printSummary(stats, context) {
      if (events === undefined && !quiet) stderr.write(formatRunSummary(stats, context, colors))
    },
  }
}

/** The shortest pause that is reported, in milliseconds. */
const minReportedPauseMs = 5000

function formatFailed({ document, failure }: Extract<Outcome, { status: 'failed' }>): string {
  const id = failure.requestId === undefined ? '' : ` [${failure.requestId}]`
  return `${document.path}: ${describeFailure(failure)}${id}`
}

/** Returns the fields of a run that its first event has. */
function selectRun(
  runStart: RunStart | undefined,
): Pick<RunStart, 'run_id' | 'prompt' | 'model' | 'simulated'> | undefined {
  if (runStart === undefined) return undefined
  const { run_id, prompt, model, simulated } = runStart
  return { run_id, prompt, model, ...(simulated && { simulated }) }
}

function toDocumentEvent(
  outcome: Outcome,
  { done, total, failed, cost, remainingMs }: ProgressState,
  locateSummary: ProgressOptions['locateSummary'],
): NewEvent<Extract<RunEvent, { event: 'document' }>> {
  const isSummarized = outcome.status === 'summarized'
  return {
    event: 'document',
    ...toOutcomeFields(outcome),
    ...(isSummarized && locateSummary && { summary_file: locateSummary(outcome.document.path) }),
    ...(isSummarized && outcome.qualityIssues && { quality_issues: outcome.qualityIssues }),
    progress: {
      done,
      total,
      failed,
      cost_usd: Number(formatExactUsd(cost)),
      remaining_ms: remainingMs === undefined ? null : Math.round(remainingMs),
    },
  }
}

function formatVerbose(outcome: Outcome): string {
  const { document, status, elapsedMs } = outcome
  if (outcome.status === 'skipped') return `${document.path}: skipped: ${outcome.reason}`
  if (outcome.status === 'pending') return `${document.path}: pending: ${outcome.reason}`
  const usage = sumUsage(outcome)
  const flags =
    outcome.status === 'summarized' && outcome.qualityIssues
      ? `, flagged (${outcome.qualityIssues.map((issue) => describeCode(issue, 1)).join(', ')})`
      : ''
  return `${document.path}: ${status}${flags}, ${sumInputTokens(usage)} tokens in, ${usage.output_tokens} out, ${formatDuration(elapsedMs)}`
}
