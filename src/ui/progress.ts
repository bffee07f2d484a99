import { MultiBar } from 'cli-progress'
import { dollars, type Picodollars } from '../core/pricing/price.ts'

/** Where a run stands, for whoever waits. */
export interface Standing {
  readonly done: number
  readonly total: number
  readonly failed: number
  readonly cost: Picodollars
  readonly elapsedMs: number
  /** What keeps it from going faster just now, if that is a limit. */
  readonly boundBy: string | undefined
  /** What it waits for that has no progress to show. */
  readonly waitingFor: string | undefined
}

/** What a person sees while the run goes on; all of it on stderr. */
export interface Progress {
  /** A line of its own, above the bar if there is one. */
  line(text: string): void
  /** Takes the bar away. */
  stop(): void
}

export type ProgressMode = 'bar' | 'lines' | 'off'

/** A redrawn bar for a terminal; elsewhere a plain line every ten seconds, so that a log shows life and stays short. */
export function showProgress(
  mode: ProgressMode,
  stderr: NodeJS.WritableStream,
  standing: () => Standing,
): Progress {
  switch (mode) {
    case 'bar':
      return bar(stderr, standing)
    case 'lines':
      return lines(stderr, standing)
    case 'off':
      return { line: (text) => void stderr.write(`${text}\n`), stop() {} }
  }
}

const barEveryMs = 100
const lineEveryMs = 10_000

function bar(stderr: NodeJS.WritableStream, standing: () => Standing): Progress {
  const bars = new MultiBar({
    stream: stderr,
    format: (_options, { progress }) => `${blocks(progress)} ${progressText(standing())}`,
    // The bar must leave signals alone: the run decides what they mean.
    gracefulExit: false,
    clearOnComplete: true,
    stopOnComplete: false,
    linewrap: false,
    emptyOnZero: true,
  })
  const { total } = standing()
  const bar = bars.create(total, 0)
  const timer = setInterval(() => bar.update(standing().done), barEveryMs)
  return {
    line: (text) => bars.log(`${text}\n`),
    stop() {
      clearInterval(timer)
      // Lines wait for the next drawing, which there would not be.
      bars.update()
      bars.stop()
    },
  }
}

function lines(stderr: NodeJS.WritableStream, standing: () => Standing): Progress {
  let said = ''
  const timer = setInterval(() => {
    const text = progressText(standing())
    if (text !== said) stderr.write(`${text}\n`)
    said = text
  }, lineEveryMs)
  return { line: (text) => void stderr.write(`${text}\n`), stop: () => clearInterval(timer) }
}

const width = 24

function blocks(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`
}

/** The line, for a bar or alone. */
export function progressText({
  done,
  total,
  failed,
  cost,
  elapsedMs,
  boundBy,
  waitingFor,
}: Standing): string {
  const parts = [`${done}/${total}`]
  if (failed > 0) parts.push(`${failed} failed`)
  if (cost > 0n) parts.push(dollars(cost))
  if (waitingFor !== undefined) return [...parts, waitingFor].join(' · ')
  if (done > 0 && done < total) parts.push(`${remaining((elapsedMs / done) * (total - done))} left`)
  if (boundBy !== undefined && done < total) parts.push(`limit: ${boundBy}/min`)
  return parts.join(' · ')
}

function remaining(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  return seconds < 60
    ? `${seconds} s`
    : seconds < 5400
      ? `${Math.ceil(seconds / 60)} min`
      : `${(seconds / 3600).toFixed(1)} h`
}
