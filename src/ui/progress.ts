import { MultiBar } from 'cli-progress'
import { formatUsd, type Picodollars } from '../core/pricing/pricing-rules.ts'

/** The state of a run that the progress display shows. */
export interface ProgressState {
  readonly done: number
  readonly total: number
  readonly failed: number
  readonly cost: Picodollars
  readonly elapsedMs: number
  /** The rate limit that the run is waiting for, if any. */
  readonly limitedBy: string | undefined
  /** Shown instead of the remaining time during a wait that has no progress. */
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
    format: (_options, { progress }) => `${renderBar(progress)} ${formatProgress(getState())}`,
    // The bar must leave signals alone: the run decides what they mean.
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
      // Lines wait for the next redraw, and after stop() there is none.
      bars.update()
      bars.stop()
    },
  }
}

function showLines(stderr: NodeJS.WritableStream, getState: () => ProgressState): ProgressDisplay {
  let lastLine = ''
  const timer = setInterval(() => {
    const text = formatProgress(getState())
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

/** Returns the progress line, which is also the text next to the bar. */
export function formatProgress({
  done,
  total,
  failed,
  cost,
  elapsedMs,
  limitedBy,
  waitingText,
}: ProgressState): string {
  const parts = [`${done}/${total}`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (cost > 0n) parts.push(formatUsd(cost))
  if (waitingText !== undefined) return [...parts, waitingText].join(' · ')
  if (done > 0 && done < total) parts.push(`${formatRemaining((elapsedMs / done) * (total - done))} left`)
  if (limitedBy !== undefined && done < total) parts.push(`limited by ${limitedBy}/min`)
  return parts.join(' · ')
}

function formatRemaining(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60
    ? `${seconds} s`
    : seconds < 5400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`
}
