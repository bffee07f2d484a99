import type { DocumentRef, InputProblem } from '../../core/document/document.ts'
import { toDocumentPath } from '../../core/document/document-path.ts'

/** A source that is not finished yet: a hundred thousand of them are not copied from step to step. */
export type Candidate = { -readonly [Field in keyof DocumentRef]: DocumentRef[Field] }

/** A candidate for a file that the user named. @param file absolute */
export function createNamedCandidate(file: string, cwd: string, problem?: InputProblem): Candidate {
  const found = { index: 0, path: toDocumentPath(file, cwd) || '.', namedByUser: true }
  return problem === undefined ? found : { ...found, problem }
}
