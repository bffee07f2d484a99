/**
 * Returns a copy of a value with U+FFFD for every lone surrogate (half a pair), in strings, lists, and the
 * names and values of objects. A lone surrogate has no encoding in UTF-8, and the API rejects its JSON escape
 * with a 400.
 * @param value a JSON value; returned without copying if it has no lone surrogate
 */
export function replaceLoneSurrogates<Value>(value: Value): Value {
  return (isWellFormed(value) ? value : copyWellFormed(value)) as Value
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, field]) => name.isWellFormed() && isWellFormed(field))
}

function copyWellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed()
  if (Array.isArray(value)) return value.map(copyWellFormed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name.toWellFormed(), copyWellFormed(field)]),
  )
}
