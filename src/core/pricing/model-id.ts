/**
 * Returns the id of a Claude model without the parts that providers add: a path, a provider's name, a region,
 * a date or a version. All other names are returned unchanged.
 * @example `us.anthropic.claude-haiku-4-5-20251001-v1:0` → `claude-haiku-4-5`
 */
export function canonicalizeModelId(name: string): string {
  const id = name
    .toLowerCase()
    .slice(name.lastIndexOf('/') + 1)
    .replace(/^(?:[a-z0-9-]+\.)?anthropic[.:]/, '')
  if (!id.startsWith('claude-')) return name
  return id
    .replace(/(\d)\.(?=\d)/g, '$1-')
    .replace(/(?::\d+k?){1,2}$/, '')
    .replace(/-v\d+$/, '')
    .replace(/(?:[-@]\d{8}|[-@]latest|@default)$/, '')
}
