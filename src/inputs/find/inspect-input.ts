import { resolve } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { isPattern, type PatternPart, splitPattern } from './glob-pattern.ts'
import { inspectNamedPath, type NamedPath } from './named-path.ts'

/** What the user named. Lines of a list are paths and nothing else; an argument may be `-` or a pattern too. */
export interface Input {
  readonly text: string
  readonly literal: boolean
}

/** An input, and what it is. */
export interface InspectedInput {
  readonly text: string
  /** Absolute path; of a pattern it means nothing. */
  readonly file: string
  readonly target:
    | NamedPath
    | { readonly kind: 'stdin' }
    | { readonly kind: 'pattern'; readonly parts: readonly PatternPart[] }
}

/**
 * Looks at an input. An existing path always wins over a pattern.
 * @throws UsageError for a pattern that could take for ever
 */
export function inspectInput({ text, literal }: Input, cwd: string): InspectedInput {
  const file = resolve(cwd, text)
  return { text, file, target: inspectTarget(text, file, literal, cwd) }
}

function inspectTarget(text: string, file: string, literal: boolean, cwd: string): InspectedInput['target'] {
  if (text === '-' && !literal) return { kind: 'stdin' }
  // A variable that is not set does not mean all of the working directory.
  if (text === '') return { kind: 'nothing' }
  const target = inspectNamedPath(file)
  if (target.kind !== 'nothing') return target
  if (!literal && isPattern(text)) return { kind: 'pattern', parts: splitPattern(text, cwd) }
  if (text.includes('\ufffd')) return { kind: 'unusable', problem: badNameProblem }
  // A list names what was there when it was made.
  return literal ? { kind: 'unusable', problem: notFoundProblem } : target
}

/** A line of a list that names nothing. */
export const notFoundProblem: InputProblem = {
  action: 'fail',
  type: 'not_found',
  message: 'no such file or directory',
}
const badNameProblem: InputProblem = {
  action: 'fail',
  type: 'bad_name',
  message: 'its name is not UTF-8; rename it',
}
