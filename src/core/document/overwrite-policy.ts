import type { InputProblem } from './document.ts'

/** The state of the file in which a document's summary belongs. */
export type OutputFileState =
  /** There is no file, and the ledger knows of none. */
  | 'missing'
  /** The ledger knows a summary, and its file no longer exists. */
  | 'deleted'
  /** The file is as claude-batch wrote it. */
  | 'unmodified'
  /** Somebody changed the file by hand. */
  | 'modified'
  /** The ledger does not know the file. */
  | 'untracked'
  | 'directory'

/**
 * Whether a document is to be summarized: undefined, or what speaks against it. Nothing is paid for twice, and
 * nothing is overwritten that somebody else wrote.
 * @param isUpToDate its last good summary was made from this very question
 */
export function checkOverwrite(
  isUpToDate: boolean,
  state: OutputFileState,
  force: boolean,
): InputProblem | undefined {
  if (state === 'directory') return problems.directory
  if (force) return undefined
  if (state === 'untracked') return problems.untracked
  if (state === 'modified') return isUpToDate ? problems.modifiedButUpToDate : problems.modified
  return isUpToDate && state === 'unmodified' ? problems.unchanged : undefined
}

/** Types of problems that leave no place for a summary, nor for an error record. */
export const unwritableTypes: ReadonlySet<string> = new Set(['outside', 'name_too_long'])

/** What a document's outcome is where its summary stands. */
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
    message: 'the file in the place of its summary is not in the ledger',
  },
  directory: { action: 'fail', type: 'in_the_way', message: 'a directory stands where its summary belongs' },
} as const satisfies Record<string, InputProblem>
