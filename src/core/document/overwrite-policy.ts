import type { InputProblem } from './document.ts'

/** The state of the file in which a document's summary belongs. */
export type OutputFileState =
  /** There is no file, and the ledger knows of none. */
  | 'missing'
  /** The ledger knows a summary, and its file no longer exists. */
  | 'deleted'
  /** The file is as claude-batch wrote it. */
  | 'unmodified'
  /** The file was edited by hand. */
  | 'modified'
  /** The ledger does not know the file. */
  | 'untracked'
  | 'directory'

/**
 * Returns why a document is not summarized; undefined if it is. No summary is paid for twice, and no file is
 * overwritten that claude-batch did not write.
 * @param isUpToDate whether the last summary came from the same request and need not be produced again
 * @param force whether to overwrite files that were edited by hand or are not in the ledger
 */
export function checkOverwrite(
  isUpToDate: boolean,
  state: OutputFileState,
  force: boolean,
): InputProblem | undefined {
  if (state === 'directory') return problems.directory
  if (force && (state === 'untracked' || state === 'modified')) return undefined
  if (state === 'untracked') return problems.untracked
  if (state === 'modified') return isUpToDate ? problems.modifiedButUpToDate : problems.modified
  return isUpToDate && state === 'unmodified' ? problems.unchanged : undefined
}

/** Types of problems that prevent writing both a summary and an error record. */
export const unwritableTypes: ReadonlySet<string> = new Set(['outside', 'name_too_long'])

/** The problem of a document without an error record, in a run that processes only documents with one. */
export const notFailedProblem: InputProblem = {
  action: 'skip',
  type: 'not_failed',
  message: 'it has no error record, and this run processes only documents that have one',
}

/** The outcome of a document whose summary is up to date. */
export const unchangedOutcome = {
  status: 'skipped',
  type: 'unchanged',
  reason: 'unchanged since it was summarized',
} as const

const problems = {
  unchanged: { action: 'skip', type: unchangedOutcome.type, message: unchangedOutcome.reason },
  modifiedButUpToDate: {
    action: 'skip',
    type: 'modified',
    message: 'unchanged; its summary was edited by hand and is kept',
  },
  modified: { action: 'fail', type: 'modified', message: 'its summary was edited by hand' },
  untracked: {
    action: 'fail',
    type: 'untracked',
    message: 'the output file exists but is not in the ledger',
  },
  directory: { action: 'fail', type: 'in_the_way', message: 'a directory has the name of its summary' },
} as const satisfies Record<string, InputProblem>
