import { MultiBar } from 'cli-progress'
import { formatUsd, type Picodollars } from '../core/pricing/pricing-rules.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'

/** The state of a run that the progress display shows. */
export interface ProgressState {
  readonly done: number
  readonly total: number
  readonly failed: number
  readonly cost: Picodollars
  readonly elapsedMs: number
  /** The rate limit that the run is waiting for, if any. */
  readonly limitedBy: string | undefined
  /** Shown instead of the remaining time during a wait without progress. */
  readonly waitingText: string | undefined
}

/** The progress display on stderr. */
export interface ProgressDisplay {
  /** Prints a line, above the bar if there is one. */
  printLine(text: string): void
  /** Removes the bar. */
  stop(): void
}

export type ProgressMode = 'bar' | 'lines' | 'off'

/** Shows a bar that is redrawn on a terminal, or a plain line every ten seconds, which keeps a log short. */
export function showProgress(
  mode: ProgressMode,
  stderr: NodeJS.WritableStream,
  getState: () => ProgressState,
): ProgressDisplay {
  switch (mode) {
    case 'bar':
      return showBar(stderr, getState)
    case 'lines':
      return showLines(stderr, getState)
    case 'off':
      return createPlainDisplay(stderr)
  }
}

/** Returns a display that prints lines and shows no progress. */
export function createPlainDisplay(stderr: NodeJS.WritableStream): ProgressDisplay {
  return { printLine: (text) => void stderr.write(`${text}\n`), stop() {} }
}

const barEveryMs = 100
const lineEveryMs = 10_000

function showBar(stderr: NodeJS.WritableStream, getState: () => ProgressState): ProgressDisplay {
  const bars = new MultiBar({
    stream: stderr,
    format: (_options, { progress }) => `${renderBar(progress)} ${formatBarText(getState())}`,
    // The run handles signals, so the bar must not install handlers.
    gracefulExit: false,
    clearOnComplete: true,
    stopOnComplete: false,
    linewrap: false,
    emptyOnZero: true,
  })
  const { total } = getState()
  const bar = bars.create(total, 0)
  const timer = setInterval(() => bar.update(getState().done), barEveryMs)
  return {
    printLine: (text) => bars.log(`${text}\n`),
    stop() {
      clearInterval(timer)
      // Logged lines are printed at the next redraw, and stop() does not redraw.
      bars.update()
      bars.stop()
    },
  }
}

function showLines(stderr: NodeJS.WritableStream, getState: () => ProgressState): ProgressDisplay {
  let lastLine = ''
  const timer = setInterval(() => {
    const text = formatProgressLine(getState())
    if (text !== lastLine) stderr.write(`${text}\n`)
    lastLine = text
  }, lineEveryMs)
  return { printLine: (text) => void stderr.write(`${text}\n`), stop: () => clearInterval(timer) }
}

const barWidth = 24

function renderBar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * barWidth)
  return `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`
}

/** Returns the text next to the bar, which must be short: `28/200 · $0.0029 · 2 min left`. */
export function formatBarText(state: ProgressState): string {
  const { done, total, limitedBy } = state
  const parts = [`${done}/${total}`, ...formatCounts(state), ...formatWait(state, '')]
  if (isLimited(state)) parts.push(`limited by ${limitedBy}/min`)
  return parts.join(' · ')
}

/** Returns a progress line for a log: `claude-batch: 28 of 200 documents, $0.0029, about 2 min left`. */
export function formatProgressLine(state: ProgressState): string {
  const { done, total, limitedBy } = state
  const documents = `${formatInteger(done)} of ${pluralize(total, 'document')}`
  const parts = [documents, ...formatCounts(state), ...formatWait(state, 'about ')]
  if (isLimited(state)) parts.push(`limited by ${limitedBy} per minute`)
  return `claude-batch: ${parts.join(', ')}`
}

function formatCounts({ failed, cost }: ProgressState): string[] {
  return [...(failed > 0 ? [`${failed} failed`] : []), ...(cost > 0n ? [formatUsd(cost)] : [])]
}

function formatWait({ done, total, elapsedMs, waitingText }: ProgressState, prefix: string): string[] {
  if (waitingText !== undefined) return [waitingText]
  if (done === 0 || done >= total) return []
  return [`${prefix}${formatRemaining((elapsedMs / done) * (total - done))} left`]
}

function isLimited({ done, total, limitedBy, waitingText }: ProgressState): boolean {
  return limitedBy !== undefined && waitingText === undefined && done < total
}

function formatRemaining(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60
    ? `${seconds} s`
    : seconds < 5400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`
}
