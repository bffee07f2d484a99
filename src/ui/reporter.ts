import { formatFailure } from '../core/errors/failure.ts'
import { sumAttemptCosts } from '../core/pricing/document-cost.ts'
import { formatUsd } from '../core/pricing/pricing-rules.ts'
import { sumInputTokens } from '../core/pricing/usage.ts'
import { type LimitName, limitLabels } from '../core/rate-limit/limiter-state.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { type Outcome, sumUsage } from '../core/run/outcome.ts'
import type { RunStats, StatsCollector } from '../core/run/run-stats.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { formatDuration } from '../core/text/format-duration.ts'
import { createColors } from './colors.ts'
import { formatRunSummary, type RunSummaryContext } from './format-run-summary.ts'
import { createPlainDisplay, type ProgressDisplay, type ProgressMode, showProgress } from './progress.ts'

export interface ReporterOptions {
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly quiet: boolean
  readonly verbose: boolean
}

/** What the progress display shows. */
interface ProgressOptions {
  readonly mode: 'auto' | ProgressMode
  /** How many documents there are to do. */
  readonly total: number
  readonly statsCollector: StatsCollector
  /** The limit that requests wait for just now. */
  readonly getWaitingLimit: () => LimitName | undefined
  /** Milliseconds since the run began. */
  readonly getElapsedMs: () => number
}

/** All that a run says on stderr while it goes on and at its end. */
export interface Reporter {
  /** Shows the progress from now on. */
  startProgress(options: ProgressOptions): void
  /** A request is on its way. */
  onSend(): void
  onAttempt(attempt: Attempt): void
  /** Everybody waits for trouble to pass: so long, the so manieth time in it, and why. */
  onPause(pause: { readonly ms: number; readonly consecutivePauses: number; readonly reason: string }): void
  onOutcome(outcome: Outcome): void
  /** A summary that was paid for and cannot be put where it belongs: it is `kept` for the next run, or shown here and lost. */
  onUnsaved(outcome: Outcome, isJournaled: boolean): void
  /** Something else that is worth a line. */
  printNote(text: string): void
  /** What is waited for that has no progress to show: as it is now, or undefined. */
  setWaitingText(what: (() => string) | undefined): void
  /** Stopping was asked for. */
  onDrain(): void
  /** Does something else with the terminal meanwhile. */
  suspend<T>(work: () => Promise<T>): Promise<T>
  /** Takes the progress display away, however the run ended. */
  stop(): void
  /** Accounts for the run. */
  printSummary(report: RunStats, setting: RunSummaryContext): void
}

/** Prints to stderr. It shows no progress until that begins. */
export function createReporter({ stderr, env, quiet, verbose }: ReporterOptions): Reporter {
  const colors = createColors(stderr, env)
  let inFlight = 0
  let getWaitingText: (() => string) | undefined
  const showNothing = () => createPlainDisplay(stderr)
  let show: () => ProgressDisplay = showNothing
  let progress = show()

  return {
    startProgress({ mode, total, statsCollector, getElapsedMs, getWaitingLimit }) {
      const skippedBefore = statsCollector.getProgress().documents.skipped
      const getState = () => {
        const { documents, cost } = statsCollector.getProgress()
        const limit = getWaitingLimit()
        const { summarized, skipped, failed } = documents
        return {
          done: summarized + skipped + failed - skippedBefore,
          total,
          failed,
          cost,
          elapsedMs: getElapsedMs(),
          limitedBy: limit && limitLabels[limit],
          waitingText: getWaitingText?.(),
        }
      }
      show = () => showProgress(quiet ? 'off' : chooseMode(mode, stderr, env), stderr, getState)
      progress = show()
    },
    onSend() {
      inFlight++
    },
    onAttempt(attempt) {
      inFlight--
      if (verbose && attempt.error !== undefined) {
        const { path, error: fault } = attempt
        progress.printLine(
          escapeControlChars(
            `${path}: attempt ${attempt.attemptNumber}: ${fault.status ?? fault.kind} ${fault.type}`,
          ),
        )
      }
    },
    onPause({ ms, consecutivePauses: inARow, reason: why }) {
      if (quiet) return
      // Trouble that comes with many short pauses is told once it is sure to be trouble.
      if (verbose || ms >= minReportedPauseMs || inARow === 4)
        progress.printLine(`everything waits ${formatDuration(ms)}: ${why}`)
    },
    onOutcome(outcome) {
      if (outcome.status === 'failed')
        progress.printLine(`claude-batch: ${colors.red(formatFailed(outcome))}`)
      else if (verbose) progress.printLine(escapeControlChars(formatVerbose(outcome)))
    },
    onUnsaved(outcome, kept) {
      if (outcome.status !== 'summarized') return
      const what = `the summary of ${escapeControlChars(outcome.document.path)} could not be put in place`
      const { cost } = sumAttemptCosts(outcome.attempts)
      const price = cost === undefined ? 'what it cost is unknown' : `this one cost ${formatUsd(cost)}`
      const next = kept
        ? 'the next run does it, without asking again'
        : `the next run asks, and pays, for it again (${price}); here it is:`
      progress.printLine(`claude-batch: ${what}; ${next}`)
      if (!kept) progress.printLine(escapeControlChars(outcome.text, '\n\t'))
    },
    printNote(text) {
      if (!quiet) progress.printLine(`claude-batch: ${escapeControlChars(text)}`)
    },
    setWaitingText(what) {
      getWaitingText = what
    },
    onDrain() {
      if (getWaitingText !== undefined) return
      const waiting = inFlight === 1 ? '1 request' : `${inFlight} requests`
      progress.printLine(
        `stopping: waiting for ${waiting} in flight (again to abandon ${inFlight === 1 ? 'it' : 'them'})`,
      )
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
    printSummary(report, setting) {
      if (!quiet) stderr.write(formatRunSummary(report, setting, colors))
    },
  }
}

/** A shorter pause is over before anybody wonders: milliseconds. */
const minReportedPauseMs = 5000

function chooseMode(
  mode: 'auto' | ProgressMode,
  stderr: NodeJS.WriteStream,
  env: ReporterOptions['env'],
): ProgressMode {
  if (mode !== 'auto') return mode
  return stderr.isTTY && env['TERM'] !== 'dumb' ? 'bar' : 'lines'
}

function formatFailed({ document, failure }: Extract<Outcome, { status: 'failed' }>): string {
  const id = failure.requestId === undefined ? '' : ` [${failure.requestId}]`
  return escapeControlChars(`${document.path}: ${formatFailure(failure)}${id}`)
}

function formatVerbose(outcome: Outcome): string {
  const { document, status, elapsedMs } = outcome
  if (outcome.status === 'skipped') return `${document.path}: skipped: ${outcome.reason}`
  if (outcome.status === 'pending') return `${document.path}: not done: ${outcome.reason}`
  const usage = sumUsage(outcome)
  const doubts =
    outcome.status === 'summarized' && outcome.qualityIssues
      ? `, flagged (${outcome.qualityIssues.join(', ')})`
      : ''
  return `${document.path}: ${status}${doubts}, ${sumInputTokens(usage)} tokens in, ${usage.output_tokens} out, ${formatDuration(elapsedMs)}`
}
