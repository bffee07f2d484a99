import type { Failed } from '../run/outcome.ts'
import { escapeControlChars } from '../text/escape-control-chars.ts'
import { type Failure, formatFailure } from './failure.ts'

/**
 * Returns the error record of a failed document: `ERROR: …` on the first line, the request id, the attempts,
 * and any text that was paid for. It is a separate file (or JSON field), so that no model can write text that
 * looks like an error record.
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

/** Returns the first line of an error record. Its text is escaped, so that it is safe to print. */
export function formatErrorHeadline(failure: Failure): string {
  return `ERROR: ${escapeControlChars(formatFailure(failure))}`
}
