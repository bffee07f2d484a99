import type { InputProblem, Source } from '../../core/document/document.ts'
import { sourcePath } from '../../core/document/document-path.ts'

/** A source that is not finished yet: a hundred thousand of them are not copied from step to step. */
export type Candidate = { -readonly [Field in keyof Source]: Source[Field] }

/** A candidate for a file that the user named. @param file absolute */
export function namedCandidate(file: string, cwd: string, problem?: InputProblem): Candidate {
  const found = { index: 0, path: sourcePath(file, cwd) || '.', named: true }
  return problem === undefined ? found : { ...found, problem }
}
