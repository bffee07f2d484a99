import { resolve } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import type { PatternPart } from './glob-pattern.ts'
import { findSpelling, inspectNamedPath, type NamedPath } from './named-path.ts'

/**
 * An input as the user named it. A line of a list (`literal`) is always a path; an argument may also be `-`
 * or a pattern.
 */
export interface Input {
  readonly text: string
  readonly literal: boolean
}

/** An input and what it refers to. */
export interface InspectedInput {
  readonly text: string
  /** Absolute path; meaningless for a pattern. */
  readonly file: string
  readonly target:
    | NamedPath
    | { readonly kind: 'stdin' }
    | { readonly kind: 'pattern'; readonly parts: readonly PatternPart[] }
}

/**
 * Returns what an input refers to. An existing path always takes precedence over a pattern.
 * @throws UsageError for a pattern that could take exponential time
 */
export async function inspectInput({ text, literal }: Input, cwd: string): Promise<InspectedInput> {
  const file = resolve(cwd, text)
  const target = await inspectTarget(text, file, literal, cwd)
  const isFound = target.kind === 'file' || target.kind === 'folder'
  return { text, file: isFound ? findSpelling(file, cwd) : file, target }
}

async function inspectTarget(
  text: string,
  file: string,
  literal: boolean,
  cwd: string,
): Promise<InspectedInput['target']> {
  if (text === '-' && !literal) return { kind: 'stdin' }
  // An empty argument, such as an unset shell variable, must not mean the whole working directory.
  if (text === '') return { kind: 'nothing' }
  const target = inspectNamedPath(file)
  if (target.kind !== 'nothing') return target
  if (!literal) {
    const { isPattern, splitPattern } = await import('./glob-pattern.ts')
    if (isPattern(text)) return { kind: 'pattern', parts: splitPattern(text, cwd) }
  }
  if (text.includes('\ufffd')) return { kind: 'unusable', problem: badNameProblem }
  // A file in a list existed when the list was made, so a missing one is a failure.
  return literal ? { kind: 'unusable', problem: notFoundProblem } : target
}

/** The problem of a path in a list that does not exist. */
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
