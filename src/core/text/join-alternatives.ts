/** Returns names as alternatives in a sentence: `copy, language or length`. */
export function joinAlternatives(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`
}
