import { promptTokens } from '../pricing/usage.ts'
import type { DocumentLine, EndLine, RunLine } from '../run/ledger-entry.ts'
import { niceStep } from './distribution.ts'

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
const steps = 120

/** Null where nothing was sent, but in batches, whose times tell nothing. */
export function timelineOf({
  run,
  end,
  lines,
}: {
  readonly run: RunLine
  readonly end?: EndLine
  readonly lines: readonly DocumentLine[]
}): Timeline | null {
  const sent = lines.filter(({ attempts, batch }) => attempts > 0 && batch === undefined)
  if (sent.length === 0) return null
  const began = Date.parse(run.time)
  const last = sent.reduce((latest, { time }) => Math.max(latest, Date.parse(time)), began)
  const length = Math.max(1, last - began, end?.wall_ms ?? 0)
  const step = niceStep(length / steps)
  const row = () => new Array<number>(Math.ceil(length / step) || 1).fill(0)
  const [finished, busy, tokensIn, tokensOut] = [row(), row(), row(), row()]
  const add = (to: number[], n: number, amount: number) => {
    const at = Math.min(to.length - 1, Math.max(0, n))
    to[at] = (to[at] ?? 0) + amount
  }
  for (const { time, elapsed_ms, wait_ms = 0, usage } of sent) {
    const over = Date.parse(time) - began
    const begun = Math.max(0, over - (elapsed_ms - wait_ms))
    const bin = Math.floor(over / step)
    add(finished, bin, 1)
    add(tokensIn, bin, usage === null ? 0 : promptTokens(usage))
    add(tokensOut, bin, usage?.output ?? 0)
    for (let n = Math.floor(begun / step); n * step < over; n++)
      add(busy, n, Math.min(over, (n + 1) * step) - Math.max(begun, n * step))
  }
  return {
    began: run.time,
    step_ms: step,
    finished,
    in_flight: busy.map((ms) => Number((ms / step).toFixed(2))),
    tokens_in: tokensIn,
    tokens_out: tokensOut,
  }
}
