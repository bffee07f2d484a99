/** A length of time in seconds. */
export type Seconds = number

/**
 * How long a response asks to wait: `retry-after-ms` first (as the official SDK does), then `retry-after` as seconds
 * or as a date. A date is taken relative to the response's own `date`, so that a wrong local clock does no harm.
 * @returns undefined for none, and for what cannot be a wait: zero, negative, past, or not a plain decimal number
 * @see https://platform.claude.com/docs/en/api/rate-limits
 */
export function parseRetryAfter(
  header: (name: string) => string | null,
  wallMs: number,
): Seconds | undefined {
  const milliseconds = Math.max(
    ...(header('retry-after-ms') ?? '').split(',').map((wait) => parsePlainNumber(wait) ?? 0),
  )
  if (milliseconds > 0) return milliseconds / 1000
  // Several headers arrive joined by commas, which dates have too: the longest wait is the safe one.
  const waits = (header('retry-after') ?? '').split(/,(?!\s*\d{1,2}[ -][a-z])/i)
  const seconds = Math.max(
    ...waits.map((wait) => parsePlainNumber(wait) ?? parseDateWait(wait, header('date'), wallMs) ?? 0),
  )
  return seconds > 0 ? seconds : undefined
}

function parseDateWait(text: string | null, date: string | null, wallMs: number): Seconds | undefined {
  // Only the three HTTP date forms have letters; Date.parse would also take '-5' for a year.
  if (text === null || !/^[a-z]{3}/i.test(text.trim())) return undefined
  const until = Date.parse(text)
  const from = Date.parse(date ?? '')
  return Number.isNaN(until) ? undefined : (until - (Number.isNaN(from) ? wallMs : from)) / 1000
}

/** Number() also takes '0x10', '1e9' and ''; a server that means those means something else. */
function parsePlainNumber(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined
}
