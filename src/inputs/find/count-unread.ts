import { type ExtensionCounts, readExtension } from '../../core/document/extension-counts.ts'
import type { Candidate } from './candidate.ts'

export interface CountUnreadOptions {
  /** Files that are documents after all, because another input named them. */
  readonly found: readonly Candidate[]
  /** Document paths of the files that the run writes itself. */
  readonly written: readonly string[]
  /** Whether two inputs may have found the same file. */
  readonly hasSeveralInputs: boolean
}

/**
 * Counts by extension the files of searched folders that are not read.
 * @param paths the files with other extensions than those that are searched for
 */
export function countUnread(
  paths: readonly string[],
  { found, written, hasSeveralInputs }: CountUnreadOptions,
): ExtensionCounts {
  const others = new Set(written)
  if (hasSeveralInputs) for (const { path } of found) others.add(path)
  const counts = new Map<string, number>()
  for (const path of hasSeveralInputs ? new Set(paths) : paths) {
    if (others.has(path)) continue
    const extension = readExtension(path)
    counts.set(extension, (counts.get(extension) ?? 0) + 1)
  }
  return counts
}
