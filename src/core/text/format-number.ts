/**
 * Returns a whole number with separators: `1,234,567`. This does not use `Intl`, because loading its locale
 * data takes longer than all other output of a small run.
 */
export function formatInteger(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Returns a number with its noun: `1 document`, `1,234 documents`. */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${formatInteger(count)} ${count === 1 ? one : many}`
}
