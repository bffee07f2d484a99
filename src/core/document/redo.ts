import { type QualityIssue, qualityIssueTypes } from './quality-checks.ts'

/**
 * The existing results that a run produces again. `failed`: documents with an error record. `settings`:
 * summaries made with other settings. A quality check: summaries that failed it. `flagged`: summaries that
 * failed any check. `all`: everything.
 */
export const redoTargets = ['failed', 'settings', ...qualityIssueTypes, 'flagged', 'all'] as const
export type RedoTarget = (typeof redoTargets)[number]

/** Whether a run summarizes all documents again, even if their summaries are up to date. */
export function redoesAll(targets: readonly RedoTarget[]): boolean {
  return targets.includes('all')
}

/**
 * Whether a run processes only the documents that the targets name, without new ones. Every run processes
 * failed documents anyway, so `failed` limits the run to them.
 */
export function redoesOnlyTargets(targets: readonly RedoTarget[]): boolean {
  return targets.includes('failed') && !redoesAll(targets)
}

/** Whether a summary that failed these quality checks is produced again, even if it is up to date. */
export function redoesSummary(targets: readonly RedoTarget[], issues: readonly string[]): boolean {
  if (redoesAll(targets)) return true
  return issues.some((issue) => targets.includes('flagged') || targets.includes(issue as QualityIssue))
}
