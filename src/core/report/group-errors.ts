import type { DocumentEntry } from '../run/ledger-entry.ts'
import type { ErrorGroup } from './report-json.ts'

const maxListedPaths = 5

/** Groups failed documents by their error, the most frequent first. */
export function groupErrors(entries: readonly DocumentEntry[]): ErrorGroup[] {
  const found = new Map<string, { count: number; transient: boolean; example_paths: string[] }>()
  for (const entry of entries) {
    const error = formatEntryError(entry)
    if (error === null) continue
    const group = found.get(error) ?? {
      count: 0,
      transient: entry.error?.transient ?? false,
      example_paths: [],
    }
    if (group.count++ < maxListedPaths) group.example_paths.push(entry.path)
    found.set(error, group)
  }
  return [...found].map(([error, group]) => ({ error, ...group })).sort((a, b) => b.count - a.count)
}

/** Returns the error of a failed document as text; null for other documents. */
export function formatEntryError({ error, status }: DocumentEntry): string | null {
  if (status !== 'failed') return null
  return error === undefined ? 'failed' : `${error.kind} ${error.type}: ${error.message}`
}
