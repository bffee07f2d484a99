/**
 * Returns a copy of a value in which U+FFFD takes the place of every lone surrogate (half a pair), in strings, lists and
 * the names and values of objects. Half a pair has no encoding in UTF-8, and the API answers 400 to its JSON escape.
 * @param value a JSON value; a value without a lone surrogate is returned as it is
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
