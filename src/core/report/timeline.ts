import { sumInputTokens } from '../pricing/usage.ts'
import type { DocumentEntry, RunEnd, RunStart } from '../run/ledger-entry.ts'
import { amount, count, describe, listOf, objectOf, string, type TypeOf } from '../text/shape.ts'
import { roundUpToNiceStep } from './distribution.ts'

/** A run from start to end, in steps of equal length. Each list has one number per step. */
export const timelineShape = objectOf({
  started_at: string,
  step_ms: amount,
  finished: describe(listOf(count), 'documents that ended'),
  in_flight: describe(
    listOf(amount),
    'documents at the API, including their retries and the waits between them: the mean over the step',
  ),
  input_tokens: listOf(count),
  output_tokens: listOf(count),
})
export interface Timeline extends TypeOf<typeof timelineShape> {}

const maxSteps = 120

/** Returns the timeline of the live requests of a run; null if there are none. */
export function computeTimeline({
  start,
  end,
  entries,
}: {
  readonly start: RunStart
  readonly end?: RunEnd
  readonly entries: readonly DocumentEntry[]
}): Timeline | null {
  const sent = entries.filter(({ attempts, batch_id: batch }) => attempts > 0 && batch === undefined)
  if (sent.length === 0) return null
  const startMs = Date.parse(start.started_at)
  const endMs = sent.reduce((latest, { ended_at: time }) => Math.max(latest, Date.parse(time)), startMs)
  const durationMs = Math.max(1, endMs - startMs, end?.duration_ms ?? 0)
  const step = roundUpToNiceStep(durationMs / maxSteps)
  const createRow = () => new Array<number>(Math.ceil(durationMs / step) || 1).fill(0)
  const [finished, inFlightMs, tokensIn, tokensOut] = [createRow(), createRow(), createRow(), createRow()]
  const add = (to: number[], n: number, amount: number) => {
    const at = Math.min(to.length - 1, Math.max(0, n))
    to[at] = (to[at] ?? 0) + amount
  }
  for (const { ended_at: time, elapsed_ms, wait_ms, usage } of sent) {
    const documentEnd = Date.parse(time) - startMs
    const documentStart = Math.max(0, documentEnd - ((elapsed_ms ?? 0) - (wait_ms ?? 0)))
    const bin = Math.floor(documentEnd / step)
    add(finished, bin, 1)
    add(tokensIn, bin, usage === null ? 0 : sumInputTokens(usage))
    add(tokensOut, bin, usage?.output_tokens ?? 0)
    for (let n = Math.floor(documentStart / step); n * step < documentEnd; n++)
      add(inFlightMs, n, Math.min(documentEnd, (n + 1) * step) - Math.max(documentStart, n * step))
  }
  return {
    started_at: start.started_at,
    step_ms: step,
    finished,
    in_flight: inFlightMs.map((ms) => Number((ms / step).toFixed(2))),
    input_tokens: tokensIn,
    output_tokens: tokensOut,
  }
}
