import type { Failed } from '../run/outcome.ts'
import { escapeControlChars } from '../text/escape-control-chars.ts'
import { type Failure, formatFailure } from './failure.ts'

/**
 * The record of a document that failed: `ERROR: …` on the first line, then the request id and the attempts, then
 * whatever text was paid for. It has a file (or a JSON field) of its own, so no model's text can pass for one.
 */
export function formatErrorRecord({ failure, attempts, partialText: partial }: Failed): string {
  const lines = [formatErrorHeadline(failure)]
  if (failure.requestId !== undefined) lines.push(`request id: ${escapeControlChars(failure.requestId)}`)
  for (const { attemptNumber: attempt, startedAt, elapsedMs, status, error } of attempts) {
    const end = error === undefined ? 'answered' : `${status ?? error.kind} ${error.type}`
    lines.push(
      `attempt ${attempt}: ${new Date(startedAt).toISOString()} ${escapeControlChars(end)} after ${Math.round(elapsedMs)} ms`,
    )
  }
  if (partial !== undefined && partial !== '') lines.push('', 'The text that was paid for:', '', partial)
  return `${lines.join('\n')}\n`
}

/** One line, safe to print anywhere. */
export function formatErrorHeadline(failure: Failure): string {
  return `ERROR: ${escapeControlChars(formatFailure(failure))}`
}
