import { resolve } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { lookAtNamedPath, type NamedPath } from './named-path.ts'
import { isPattern, type PatternPart, partsOf } from './pattern.ts'

/** What the user named. Lines of a list are paths and nothing else; an argument may be `-` or a pattern too. */
export interface Input {
  readonly text: string
  readonly literal: boolean
}

/** An input, and what it is. */
export interface LookedInput {
  readonly text: string
  /** Absolute path; of a pattern it means nothing. */
  readonly file: string
  readonly path:
    | NamedPath
    | { readonly is: 'stdin' }
    | { readonly is: 'pattern'; readonly parts: readonly PatternPart[] }
}

/**
 * Looks at an input. An existing path always wins over a pattern.
 * @throws UsageError for a pattern that could take for ever
 */
export function lookAtInput({ text, literal }: Input, cwd: string): LookedInput {
  const file = resolve(cwd, text)
  return { text, file, path: lookAt(text, file, literal, cwd) }
}

function lookAt(text: string, file: string, literal: boolean, cwd: string): LookedInput['path'] {
  if (text === '-' && !literal) return { is: 'stdin' }
  // A variable that is not set does not mean all of the working directory.
  if (text === '') return { is: 'nothing' }
  const path = lookAtNamedPath(file)
  if (path.is !== 'nothing') return path
  if (!literal && isPattern(text)) return { is: 'pattern', parts: partsOf(text, cwd) }
  if (text.includes('\ufffd')) return { is: 'unusable', problem: badName }
  // A list names what was there when it was made.
  return literal ? { is: 'unusable', problem: notFound } : path
}

/** A line of a list that names nothing. */
export const notFound: InputProblem = { as: 'fail', type: 'not_found', message: 'no such file or directory' }
const badName: InputProblem = { as: 'fail', type: 'bad_name', message: 'its name is not UTF-8; rename it' }
