import type { Failed } from '../run/outcome.ts'
import { printable } from '../text/escape-control.ts'
import { type Failure, failureLine } from './failure.ts'

/**
 * The record of a document that failed: `ERROR: …` on the first line, then the request id and the attempts, then
 * whatever text was paid for. It has a file (or a JSON field) of its own, so no model's text can pass for one.
 */
export function recordOf({ failure, attempts, partial }: Failed): string {
  const lines = [errorLine(failure)]
  if (failure.requestId !== undefined) lines.push(`request id: ${printable(failure.requestId)}`)
  for (const { attempt, at, elapsedMs, status, fault } of attempts) {
    const end = fault === undefined ? 'answered' : `${status ?? fault.kind} ${fault.type}`
    lines.push(
      `attempt ${attempt}: ${new Date(at).toISOString()} ${printable(end)} after ${Math.round(elapsedMs)} ms`,
    )
  }
  if (partial !== undefined && partial !== '') lines.push('', 'The text that was paid for:', '', partial)
  return `${lines.join('\n')}\n`
}

/** One line, safe to print anywhere. */
export function errorLine(failure: Failure): string {
  return `ERROR: ${printable(failureLine(failure))}`
}
