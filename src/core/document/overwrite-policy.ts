import type { InputProblem } from './document.ts'

/** What is where a document's summary belongs. */
export type OutputFileState =
  /** Nothing, and nothing was. */
  | 'free'
  /** Nothing any more. */
  | 'gone'
  /** What was written there. */
  | 'intact'
  /** Something else than was written there. */
  | 'edited'
  /** Something nobody remembers to have written. */
  | 'foreign'
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
  if (state === 'foreign') return problems.foreign
  if (state === 'edited') return isUpToDate ? problems.editedButUpToDate : problems.edited
  return isUpToDate && state === 'intact' ? problems.unchanged : undefined
}

/** Types of problems that leave no place for a summary, nor for an error record. */
export const unwritableTypes: ReadonlySet<string> = new Set(['outside', 'name_too_long'])

/** What a document's outcome is where its summary stands. */
export const unchangedOutcome = {
  status: 'skipped',
  type: 'unchanged',
  reason: 'unchanged since it was summarized',
} as const

/** The problem of a document whose summary can have no place: the file system allows no name or path that long. */
export const nameTooLongProblem: InputProblem = {
  action: 'fail',
  type: 'name_too_long',
  message:
    'the name of its summary would be longer than the file system allows; use a shorter --out, or shorter names',
}

const problems = {
  unchanged: { action: 'skip', type: unchangedOutcome.type, message: unchangedOutcome.reason },
  editedButUpToDate: {
    action: 'skip',
    type: 'edited',
    message: 'unchanged; its summary was edited by hand, and stands',
  },
  edited: {
    action: 'fail',
    type: 'edited',
    message: 'there is reason to make its summary anew, but that was edited by hand; --force replaces it',
  },
  foreign: {
    action: 'fail',
    type: 'foreign',
    message: 'where its summary belongs is a file that the ledger does not know; --force replaces it',
  },
  directory: { action: 'fail', type: 'in_the_way', message: 'a directory stands where its summary belongs' },
} as const satisfies Record<string, InputProblem>
