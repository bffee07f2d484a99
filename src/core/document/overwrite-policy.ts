import type { InputProblem } from './document.ts'

/** What is where a document's summary belongs. */
export type Place =
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
 * @param same its last good summary was made from this very question
 */
export function standing(same: boolean, place: Place, force: boolean): InputProblem | undefined {
  if (place === 'directory') return problems.directory
  if (force) return undefined
  if (place === 'foreign') return problems.foreign
  if (place === 'edited') return same ? problems.editedStands : problems.edited
  return same && place === 'intact' ? problems.unchanged : undefined
}

/** Types of problems that leave no place for a summary, nor for an error record. */
export const unwritable: ReadonlySet<string> = new Set(['outside', 'name_too_long'])

/** What a document's outcome is where its summary stands. */
export const unchanged = {
  status: 'skipped',
  type: 'unchanged',
  reason: 'unchanged since it was summarized',
} as const

/** The problem of a document whose summary can have no place: the file system allows no name or path that long. */
export const tooLong: InputProblem = {
  as: 'fail',
  type: 'name_too_long',
  message:
    'the name of its summary would be longer than the file system allows; use a shorter --out, or shorter names',
}

const problems = {
  unchanged: { as: 'skip', type: unchanged.type, message: unchanged.reason },
  editedStands: {
    as: 'skip',
    type: 'edited',
    message: 'unchanged; its summary was edited by hand, and stands',
  },
  edited: {
    as: 'fail',
    type: 'edited',
    message: 'there is reason to make its summary anew, but that was edited by hand; --force replaces it',
  },
  foreign: {
    as: 'fail',
    type: 'foreign',
    message: 'where its summary belongs is a file that the ledger does not know; --force replaces it',
  },
  directory: { as: 'fail', type: 'in_the_way', message: 'a directory stands where its summary belongs' },
} as const satisfies Record<string, InputProblem>
