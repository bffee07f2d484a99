/**
 * A whole number for people, as `1,234,567`. Node's own way loads the tables of all languages first, which takes longer
 * than a small run's every other word.
 */
export function formatInteger(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** So many of something: `1 document`, `1,234 documents`. */
export function pluralize(count: number, one: string, many = `${one}s`): string {
  return `${formatInteger(count)} ${count === 1 ? one : many}`
}
