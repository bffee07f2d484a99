import { failureLine } from '../core/errors/failure.ts'
import { billOf } from '../core/pricing/cost.ts'
import { dollars } from '../core/pricing/price.ts'
import { promptTokens } from '../core/pricing/usage.ts'
import { type LimitName, limitWords } from '../core/rate-limit/limiter-state.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { type Outcome, usageOf } from '../core/run/outcome.ts'
import type { Report, Tally } from '../core/run/run-stats.ts'
import { printable } from '../core/text/escape-control.ts'
import { duration } from '../core/text/format-duration.ts'
import { paintFor } from './paint.ts'
import { type Progress, type ProgressMode, showProgress } from './progress.ts'
import { reportText, type Setting } from './run-report.ts'

export interface TellerOptions {
  readonly stderr: NodeJS.WriteStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly quiet: boolean
  readonly verbose: boolean
  readonly progress: 'auto' | ProgressMode
  /** How many sources there are. */
  readonly total: number
  readonly tally: Tally
  /** The limit that requests wait for just now. */
  readonly waitingFor: () => LimitName | undefined
  /** Milliseconds since the run began. */
  readonly elapsed: () => number
}

/** All that a run says on stderr while it goes on and at its end. */
export interface Teller {
  /** A request is on its way. */
  sent(): void
  ended(attempt: Attempt): void
  /** Everybody waits for trouble to pass: so long, the so manieth time in it, and why. */
  paused(pause: { readonly ms: number; readonly inARow: number; readonly why: string }): void
  outcome(outcome: Outcome): void
  /** A summary that was paid for and cannot be put where it belongs: it is `kept` for the next run, or shown here and lost. */
  unsaved(outcome: Outcome, kept: boolean): void
  /** Something else that is worth a line. */
  note(text: string): void
  /** What is waited for that has no progress to show: as it is now, or undefined. */
  waitsFor(what: (() => string) | undefined): void
  /** Stopping was asked for. */
  draining(): void
  /** Does something else with the terminal meanwhile. */
  aside<T>(work: () => Promise<T>): Promise<T>
  /** Takes the progress display away, however the run ended. */
  stop(): void
  /** Accounts for the run. */
  report(report: Report, setting: Setting): void
}

export function createTeller({
  stderr,
  env,
  quiet,
  verbose,
  tally,
  elapsed,
  waitingFor,
  total,
  ...options
}: TellerOptions): Teller {
  const paint = paintFor(stderr, env)
  let inFlight = 0
  let waitedFor: (() => string) | undefined
  const before = tally.standing().documents.skipped
  const standing = () => {
    const { documents, cost } = tally.standing()
    const limit = waitingFor()
    const { summarized, skipped, failed } = documents
    return {
      done: summarized + skipped + failed - before,
      total,
      failed,
      cost,
      elapsedMs: elapsed(),
      boundBy: limit && limitWords[limit],
      waitingFor: waitedFor?.(),
    }
  }
  const show = () => showProgress(quiet ? 'off' : modeFor(options.progress, stderr, env), stderr, standing)
  let progress: Progress = show()

  return {
    sent() {
      inFlight++
    },
    ended(attempt) {
      inFlight--
      if (verbose && attempt.fault !== undefined) {
        const { path, fault } = attempt
        progress.line(
          printable(`${path}: attempt ${attempt.attempt}: ${fault.status ?? fault.kind} ${fault.type}`),
        )
      }
    },
    paused({ ms, inARow, why }) {
      if (quiet) return
      // Trouble that comes with many short pauses is told once it is sure to be trouble.
      if (verbose || ms >= worthTelling || inARow === 4)
        progress.line(`everything waits ${duration(ms)}: ${why}`)
    },
    outcome(outcome) {
      if (outcome.status === 'failed') progress.line(`claude-batch: ${paint.red(failedLine(outcome))}`)
      else if (verbose) progress.line(printable(verboseLine(outcome)))
    },
    unsaved(outcome, kept) {
      if (outcome.status !== 'summarized') return
      const what = `the summary of ${printable(outcome.source.path)} could not be put in place`
      const { cost } = billOf(outcome.attempts)
      const price = cost === undefined ? 'what it cost is unknown' : `this one cost ${dollars(cost)}`
      const next = kept
        ? 'the next run does it, without asking again'
        : `the next run asks, and pays, for it again (${price}); here it is:`
      progress.line(`claude-batch: ${what}; ${next}`)
      if (!kept) progress.line(printable(outcome.text, '\n\t'))
    },
    note(text) {
      if (!quiet) progress.line(`claude-batch: ${printable(text)}`)
    },
    waitsFor(what) {
      waitedFor = what
    },
    draining() {
      if (waitedFor !== undefined) return
      const waiting = inFlight === 1 ? '1 request' : `${inFlight} requests`
      progress.line(
        `stopping: waiting for ${waiting} in flight (again to abandon ${inFlight === 1 ? 'it' : 'them'})`,
      )
    },
    async aside(work) {
      progress.stop()
      try {
        return await work()
      } finally {
        progress = show()
      }
    },
    stop: () => progress.stop(),
    report(report, setting) {
      if (!quiet) stderr.write(reportText(report, setting, paint))
    },
  }
}

/** A shorter pause is over before anybody wonders: milliseconds. */
const worthTelling = 5000

function modeFor(
  mode: 'auto' | ProgressMode,
  stderr: NodeJS.WriteStream,
  env: TellerOptions['env'],
): ProgressMode {
  if (mode !== 'auto') return mode
  return stderr.isTTY && env['TERM'] !== 'dumb' ? 'bar' : 'lines'
}

function failedLine({ source, failure }: Extract<Outcome, { status: 'failed' }>): string {
  const id = failure.requestId === undefined ? '' : ` [${failure.requestId}]`
  return printable(`${source.path}: ${failureLine(failure)}${id}`)
}

function verboseLine(outcome: Outcome): string {
  const { source, status, elapsedMs } = outcome
  if (outcome.status === 'skipped') return `${source.path}: skipped: ${outcome.reason}`
  if (outcome.status === 'pending') return `${source.path}: not done: ${outcome.reason}`
  const usage = usageOf(outcome)
  const doubts =
    outcome.status === 'summarized' && outcome.doubts ? `, doubtful (${outcome.doubts.join(', ')})` : ''
  return `${source.path}: ${status}${doubts}, ${promptTokens(usage)} tokens in, ${usage.output} out, ${duration(elapsedMs)}`
}
