import { MultiBar } from 'cli-progress'
import { formatUsd, type Picodollars } from '../core/pricing/pricing-rules.ts'
import { formatInteger, pluralize } from '../core/text/format-number.ts'
import { truncate } from '../core/text/truncate.ts'

/** The state of a run that the progress display shows. */
export interface ProgressState {
  readonly done: number
  readonly total: number
  readonly failed: number
  readonly cost: Picodollars
  /** Milliseconds; undefined as long as nothing is known. */
  readonly remainingMs: number | undefined
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

/** Returns the mode for a terminal or a log; `auto` is a bar where it can be redrawn. */
export function chooseProgressMode(
  mode: 'auto' | ProgressMode,
  { stderr, env, getStdoutKind }: TerminalFacts,
): ProgressMode {
  if (mode !== 'auto') return mode
  const isCi = !['', '0', 'false'].includes(env['CI'] ?? '')
  const canRedraw = stderr.isTTY && env['TERM'] !== 'dumb' && !isCi
  return canRedraw && getStdoutKind() !== 'pipe' ? 'bar' : 'lines'
}

/** What decides whether a bar can be redrawn. */
interface TerminalFacts {
  readonly stderr: Pick<NodeJS.WriteStream, 'isTTY'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly getStdoutKind: () => string
}

/** Shows a bar that is redrawn on a terminal, or a plain line every ten seconds, which keeps a log short. */
export function showProgress(
  mode: ProgressMode,
  stderr: NodeJS.WriteStream,
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

function showBar(stderr: NodeJS.WriteStream, getState: () => ProgressState): ProgressDisplay {
  let drawnLength = 0
  const bars = new MultiBar({
    stream: stderr,
    format: (_options, { progress }) => {
      const text = formatBar(getState(), progress, getColumns(stderr))
      drawnLength = text.length
      return text
    },
    // The run handles signals, so the bar must not install handlers.
    gracefulExit: false,
    clearOnComplete: true,
    stopOnComplete: false,
    // With `false`, it would turn off the terminal's own wrapping, also for the lines above the bar, and leave it so
    // if the process is killed. The bar is shortened instead.
    linewrap: true,
    emptyOnZero: true,
  })
  // In a terminal that has become narrower, the bar takes several rows. They are cleared before it is drawn again.
  bars.on('redraw-pre', () => {
    const rows = Math.ceil(drawnLength / getColumns(stderr))
    if (rows > 1) stderr.write(`\x1b[${rows - 1}A\x1b[J`)
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

/** The terminal's last column stays empty, because some terminals wrap after it. */
function getColumns({ columns }: NodeJS.WriteStream): number {
  // 0 is the width of a terminal that does not know it, such as that of some containers.
  return Math.max(1, (columns || 80) - 1)
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

const maxBarWidth = 24
const minBarWidth = 8

/**
 * Returns the bar and the text next to it, which together fit into the columns. In a narrow terminal, the bar is
 * shorter or left out, and then the less important parts of the text.
 * @param share the part that is done, from 0 to 1
 */
export function formatBar(state: ProgressState, share: number, columns: number): string {
  const parts = listBarParts(state)
  while (parts.length > 1 && joinParts(parts).length > columns) parts.splice(findLeastImportant(parts), 1)
  const text = truncate(joinParts(parts), columns)
  const width = Math.min(maxBarWidth, columns - text.length - 1)
  return width < minBarWidth ? text : `${renderBar(share, width)} ${text}`
}

interface BarPart {
  readonly text: string
  /** Parts with higher numbers are left out first. */
  readonly rank: number
}

function joinParts(parts: readonly BarPart[]): string {
  return parts.map(({ text }) => text).join(' · ')
}

function findLeastImportant(parts: readonly BarPart[]): number {
  return parts.reduce((found, part, index) => (part.rank > (parts[found]?.rank ?? 0) ? index : found), 0)
}

/** Returns the parts of a text such as `28/200 · $0.0029 · 2 min left`. */
function listBarParts(state: ProgressState): BarPart[] {
  const { done, total, failed, cost, limitedBy } = state
  const wait = formatWait(state, '')
  return [
    { text: `${formatInteger(done)}/${formatInteger(total)}`, rank: 0 },
    ...(failed > 0 ? [{ text: `${formatInteger(failed)} failed`, rank: 2 }] : []),
    ...(cost > 0n ? [{ text: formatUsd(cost), rank: 3 }] : []),
    ...(wait === undefined ? [] : [{ text: wait, rank: 1 }]),
    ...(isLimited(state) ? [{ text: `limited by ${limitedBy}/min`, rank: 4 }] : []),
  ]
}

function renderBar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`
}

/** Returns a progress line for a log: `claude-batch: 28 of 200 documents, $0.0029, about 2 min left`. */
export function formatProgressLine(state: ProgressState): string {
  const { done, total, failed, cost, limitedBy } = state
  const wait = formatWait(state, 'about ')
  const parts = [
    `${formatInteger(done)} of ${pluralize(total, 'document')}`,
    ...(failed > 0 ? [`${formatInteger(failed)} failed`] : []),
    ...(cost > 0n ? [formatUsd(cost)] : []),
    ...(wait === undefined ? [] : [wait]),
    ...(isLimited(state) ? [`limited by ${limitedBy} per minute`] : []),
  ]
  return `claude-batch: ${parts.join(', ')}`
}

function formatWait(
  { done, total, remainingMs, waitingText }: ProgressState,
  prefix: string,
): string | undefined {
  if (waitingText !== undefined) return waitingText
  if (done >= total || remainingMs === undefined) return undefined
  return `${prefix}${formatRemaining(remainingMs)} left`
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
