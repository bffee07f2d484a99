import type { DocumentRef, InputProblem } from '../../core/document/document.ts'
import { toDocumentPath } from '../../core/document/document-path.ts'

/**
 * A document reference that is still being filled in. It is mutable, so that each step need not copy a
 * hundred thousand of them.
 */
export type Candidate = { -readonly [Field in keyof DocumentRef]: DocumentRef[Field] }

/** Creates the candidate of a file that the user named. @param file absolute path */
export function createNamedCandidate(file: string, cwd: string, problem?: InputProblem): Candidate {
  const found = { index: 0, path: toDocumentPath(file, cwd) || '.', namedByUser: true }
  return problem === undefined ? found : { ...found, problem }
}
