/** What a number in a sheet or a chart means. */
export type NumberFormat =
  | { readonly kind: 'number' | 'percent' | 'date' | 'time' }
  /** Days that are shown as hours, minutes and seconds without an upper limit: `units` is `h`, `hm`, `hms`, `ms`, … */
  | { readonly kind: 'duration'; readonly units: string; readonly isPadded: boolean }

export const plainNumber: NumberFormat = { kind: 'number' }

/** Maximum characters of a format that are examined; Excel allows 255. */
const maxFormatChars = 1000

/** Returns the meaning of a format such as `yyyy-mm-dd`, `0.0%` or `[h]:mm`. */
export function parseNumberFormat(format: string): NumberFormat {
  // Quoted text, escapes, fill characters and `General` are not part of the meaning.
  const code = format.slice(0, maxFormatChars).replace(/"[^"]*"|[\\_*].|General|AM\/PM|A\/P/gi, '')
  const [section = ''] = code.split(';')
  const [, elapsed] = /\[(h+|m+|s+)\]/i.exec(section) ?? []
  // The other brackets are colours, conditions and languages.
  const letters = section.replace(/\[[^\]]*\]/g, '').toLowerCase()
  if (elapsed !== undefined) {
    const after = `${elapsed}${letters}`.toLowerCase()
    const units = [...'hms'].filter((unit) => after.includes(unit)).join('')
    return { kind: 'duration', units, isPadded: elapsed.length > 1 }
  }
  const hasTime = /[hs]/.test(letters)
  if (/[yd]/.test(letters) || (letters.includes('m') && !hasTime)) return { kind: 'date' }
  if (hasTime) return { kind: 'time' }
  return letters.includes('%') ? { kind: 'percent' } : plainNumber
}

/**
 * Returns a number as a reader of the sheet sees it, with up to 15 digits; other text unchanged.
 * @param value the stored number; for dates, times and durations, days since the end of 1899
 * @param from1904 whether days are counted since 1904, as in workbooks of old Macs
 */
export function formatNumber(value: string, format: NumberFormat, from1904 = false): string {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number)) return value
  if (format.kind === 'percent') return `${round(number * 100)}%`
  if (format.kind === 'duration') return formatDuration(number, format)
  return format.kind === 'number' ? round(number) : formatDate(number, format.kind, from1904)
}

/** Rounds to the 15 digits that spreadsheets show: 0.1 + 0.2 is stored as 0.30000000000000004. */
function round(value: number): string {
  return String(Number(value.toPrecision(15)))
}

function formatDate(days: number, kind: 'date' | 'time', from1904: boolean): string {
  if (!(days >= 0 && days < 2_958_466)) return round(days)
  // In Excel, 1900 has a 29 February, so earlier days are one less.
  const epoch = from1904 ? 24_107 : days >= 1 && days < 60 ? 25_568 : 25_569
  const iso = new Date(Math.round((days - epoch) * 86_400) * 1000).toISOString()
  if (kind === 'time' || days < 1) return iso.slice(11, 19)
  return Number.isInteger(days) ? iso.slice(0, 10) : iso.slice(0, 19).replace('T', ' ')
}

function formatDuration(
  days: number,
  { units, isPadded }: { readonly units: string; readonly isPadded: boolean },
): string {
  let rest = Math.round(Math.abs(days) * 86_400)
  const parts = [...units].map((unit, index) => {
    const seconds = secondsByUnit[unit] ?? 1
    const count = Math.floor(rest / seconds)
    rest -= count * seconds
    return index > 0 || isPadded ? String(count).padStart(2, '0') : String(count)
  })
  return `${days < 0 ? '-' : ''}${parts.join(':')}`
}

const secondsByUnit: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 }
