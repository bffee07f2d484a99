/** The fields of a JSON object from outside; none, where it is anything else. */
export type Fields = Readonly<Record<string, unknown>>

/** Returns the fields of a value if it is a JSON object, or else no fields: an answer may hold anything anywhere. */
export function toFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

/** Returns a value if it is a text that is not empty. */
export function toNonEmptyText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Returns the value that a JSON text means; undefined where it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
