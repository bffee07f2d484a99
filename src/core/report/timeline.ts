import { sumInputTokens } from '../pricing/usage.ts'
import type { DocumentEntry, RunEnd, RunStart } from '../run/ledger-entry.ts'
import { roundUpToNiceStep } from './distribution.ts'

/** A run from its beginning to its end, in equal steps; one number for each. */
export interface Timeline {
  readonly began: string
  readonly step_ms: number
  /** Requests whose document was finished with. */
  readonly finished: readonly number[]
  /** Documents at the service, retries and the waits between them among them: the mean over the step. */
  readonly in_flight: readonly number[]
  readonly tokens_in: readonly number[]
  readonly tokens_out: readonly number[]
}

/** So many steps at most. */
const maxSteps = 120

/** Null where nothing was sent, but in batches, whose times tell nothing. */
export function computeTimeline({
  start,
  end,
  entries,
}: {
  readonly start: RunStart
  readonly end?: RunEnd
  readonly entries: readonly DocumentEntry[]
}): Timeline | null {
  const sent = entries.filter(({ attempts, batch }) => attempts > 0 && batch === undefined)
  if (sent.length === 0) return null
  const startMs = Date.parse(start.time)
  const endMs = sent.reduce((latest, { time }) => Math.max(latest, Date.parse(time)), startMs)
  const durationMs = Math.max(1, endMs - startMs, end?.wall_ms ?? 0)
  const step = roundUpToNiceStep(durationMs / maxSteps)
  const createRow = () => new Array<number>(Math.ceil(durationMs / step) || 1).fill(0)
  const [finished, inFlightMs, tokensIn, tokensOut] = [createRow(), createRow(), createRow(), createRow()]
  const add = (to: number[], n: number, amount: number) => {
    const at = Math.min(to.length - 1, Math.max(0, n))
    to[at] = (to[at] ?? 0) + amount
  }
  for (const { time, elapsed_ms, wait_ms = 0, usage } of sent) {
    const documentEnd = Date.parse(time) - startMs
    const documentStart = Math.max(0, documentEnd - (elapsed_ms - wait_ms))
    const bin = Math.floor(documentEnd / step)
    add(finished, bin, 1)
    add(tokensIn, bin, usage === null ? 0 : sumInputTokens(usage))
    add(tokensOut, bin, usage?.output ?? 0)
    for (let n = Math.floor(documentStart / step); n * step < documentEnd; n++)
      add(inFlightMs, n, Math.min(documentEnd, (n + 1) * step) - Math.max(documentStart, n * step))
  }
  return {
    began: start.time,
    step_ms: step,
    finished,
    in_flight: inFlightMs.map((ms) => Number((ms / step).toFixed(2))),
    tokens_in: tokensIn,
    tokens_out: tokensOut,
  }
}
