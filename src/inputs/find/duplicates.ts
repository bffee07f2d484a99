import { resolve } from 'node:path'
import { countDocument, type DocumentCount } from '../../core/document/document-count.ts'
import type { Candidate } from './candidate.ts'

/**
 * Returns one candidate for each path. A candidate that the user named wins, because an unusable one is then
 * a failure.
 * @param skipped counts the files that the user named more than once
 */
export function deduplicate(
  candidates: readonly Candidate[],
  skipped?: Map<string, DocumentCount>,
): Candidate[] {
  const found = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const previous = found.get(candidate.path)
    if (previous === undefined || (candidate.namedByUser && !previous.namedByUser))
      found.set(candidate.path, candidate)
    else if (candidate.namedByUser && skipped !== undefined)
      countDocument(skipped, 'duplicate', candidate.path)
  }
  return [...found.values()]
}

/**
 * Marks duplicates by symbolic link. Of the candidates that lead to the same file, one is kept: one that the
 * user named, otherwise one that is not a link, otherwise the first by path. Hard links count as separate
 * files.
 * @param realPaths paths without symbolic links, for candidates with a link in their path
 */
export function markDuplicates(
  candidates: readonly Candidate[],
  realPaths: ReadonlyMap<Candidate, string>,
  cwd: string,
): void {
  if (realPaths.size === 0) return
  const byRealPath = new Map<string, Candidate[]>()
  for (const candidate of candidates) {
    if (candidate.problem !== undefined || candidate.path === '-') continue
    const real = realPaths.get(candidate) ?? resolve(cwd, candidate.path)
    const same = byRealPath.get(real)
    if (same === undefined) byRealPath.set(real, [candidate])
    else same.push(candidate)
  }
  const rank = (candidate: Candidate) => (candidate.namedByUser ? 0 : 2) + (realPaths.has(candidate) ? 1 : 0)
  for (const same of byRealPath.values()) {
    if (same.length === 1) continue
    same.sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : 1))
    const [kept, ...duplicates] = same
    for (const duplicate of duplicates)
      duplicate.problem = { action: 'skip', type: 'duplicate', message: `the same file as ${kept?.path}` }
  }
}
