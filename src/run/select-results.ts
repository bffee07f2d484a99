import { resolve } from 'node:path'
import type { ExportOptions } from '../config/export-flags.ts'
import { isInside, toDocumentPath } from '../core/document/document-path.ts'
import { wildmatch } from '../inputs/find/git/wildmatch.ts'
import { checkPattern } from '../inputs/find/glob-pattern.ts'
import type { CurrentResult } from '../storage/ledger/current-results.ts'

/**
 * Returns the results that the flags select, in the same order.
 * @param cwd the working directory, which the paths of results and of `--path` are relative to
 * @throws UsageError for a pattern that could take exponential time
 */
export function selectResults(
  results: readonly CurrentResult[],
  { path: paths, since, status, flagged }: Pick<ExportOptions, 'path' | 'since' | 'status' | 'flagged'>,
  cwd: string,
): CurrentResult[] {
  const isSelectedPath = createPathFilter(paths, cwd)
  return results.filter(
    ({ entry }) =>
      status.includes(entry.status) &&
      (since === undefined || entry.ended_at >= since) &&
      (!flagged || (entry.quality_issues ?? []).length > 0) &&
      isSelectedPath(entry.path),
  )
}

/** Returns a predicate of document paths: whether one of the files, folders or patterns includes it. */
function createPathFilter(paths: readonly string[] | undefined, cwd: string): (path: string) => boolean {
  if (paths === undefined) return () => true
  const filters = paths.map((given) => {
    checkPattern(given)
    const file = resolve(cwd, given)
    const pattern = toDocumentPath(file, cwd)
    return (path: string) =>
      path === given ||
      (path !== '-' && isInside(resolve(cwd, path), file)) ||
      [pattern, `${pattern}/**`].some((glob) => wildmatch(glob, path, { pathname: true }))
  })
  return (path) => filters.some((isIncluded) => isIncluded(path))
}
