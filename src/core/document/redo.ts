import { type QualityIssue, qualityIssueTypes } from './quality-checks.ts'

/**
 * Which existing results a run produces again: `failed` for documents with an error record, `settings` for summaries made
 * with other settings, a quality check for summaries that failed it, `flagged` for any of these checks, `all` for
 * everything.
 */
export const redoTargets = ['failed', 'settings', ...qualityIssueTypes, 'flagged', 'all'] as const
export type RedoTarget = (typeof redoTargets)[number]

/** Whether a run summarizes everything again, also what is up to date. */
export function redoesAll(targets: readonly RedoTarget[]): boolean {
  return targets.includes('all')
}

/**
 * Whether a run leaves out every document that the targets do not name, new ones included. `failed` names documents that
 * every run processes anyway, so it limits the run to them.
 */
export function redoesOnlyTargets(targets: readonly RedoTarget[]): boolean {
  return targets.includes('failed') && !redoesAll(targets)
}

/** Whether a summary that failed these quality checks is produced again, even if it is up to date. */
export function redoesSummary(targets: readonly RedoTarget[], issues: readonly string[]): boolean {
  if (redoesAll(targets)) return true
  return issues.some((issue) => targets.includes('flagged') || targets.includes(issue as QualityIssue))
}
