import { MultiBar } from 'cli-progress'
import { formatUsd, type Picodollars } from '../core/pricing/pricing-rules.ts'

/** Where a run stands, for whoever waits. */
export interface ProgressState {
  readonly done: number
  readonly total: number
  readonly failed: number
  readonly cost: Picodollars
  readonly elapsedMs: number
  /** What keeps it from going faster just now, if that is a limit. */
  readonly limitedBy: string | undefined
  /** What it waits for that has no progress to show. */
  readonly waitingText: string | undefined
}

/** What a person sees while the run goes on; all of it on stderr. */
export interface ProgressDisplay {
  /** A line of its own, above the bar if there is one. */
  printLine(text: string): void
  /** Takes the bar away. */
  stop(): void
}

export type ProgressMode = 'bar' | 'lines' | 'off'

/** A redrawn bar for a terminal; elsewhere a plain line every ten seconds, so that a log shows life and stays short. */
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

/** Lines, and no progress. */
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
      // Lines wait for the next drawing, which there would not be.
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

/** The line, for a bar or alone. */
export function formatProgress({
  done,
  total,
  failed,
  cost,
  elapsedMs,
  limitedBy,
  waitingText: waitingFor,
}: ProgressState): string {
  const parts = [`${done}/${total}`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (cost > 0n) parts.push(formatUsd(cost))
  if (waitingFor !== undefined) return [...parts, waitingFor].join(' · ')
  if (done > 0 && done < total) parts.push(`${formatRemaining((elapsedMs / done) * (total - done))} left`)
  if (limitedBy !== undefined && done < total) parts.push(`limit: ${limitedBy}/min`)
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
