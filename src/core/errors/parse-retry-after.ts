/** A length of time in seconds. */
export type Seconds = number

/**
 * Returns how long a response asks to wait: from `retry-after-ms` (like the official SDK), otherwise from
 * `retry-after` as seconds or a date. A date is taken relative to the `date` header, so that a wrong local
 * clock does no harm.
 * @param wallMs current time, used if there is no `date` header: milliseconds since 1970
 * @returns undefined if there is no header, or an invalid one: zero, negative, past, or not a plain decimal
 * number
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
  // Several headers arrive joined by commas, which also occur in dates. The longest wait is the safe one.
  const waits = (header('retry-after') ?? '').split(/,(?!\s*\d{1,2}[ -][a-z])/i)
  const seconds = Math.max(
    ...waits.map((wait) => parsePlainNumber(wait) ?? parseDateWait(wait, header('date'), wallMs) ?? 0),
  )
  return seconds > 0 ? seconds : undefined
}

function parseDateWait(text: string | null, date: string | null, wallMs: number): Seconds | undefined {
  // All three HTTP date formats begin with letters. Date.parse would also read '-5' as a year.
  if (text === null || !/^[a-z]{3}/i.test(text.trim())) return undefined
  const until = Date.parse(text)
  const from = Date.parse(date ?? '')
  return Number.isNaN(until) ? undefined : (until - (Number.isNaN(from) ? wallMs : from)) / 1000
}

/** Stricter than Number(), which also accepts '0x10', '1e9' and ''. */
function parsePlainNumber(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined
}
