import { relative, resolve, sep } from 'node:path'
import fastGlob from 'fast-glob'
import { truncate } from '../../core/text/truncate.ts'
import { UsageError } from '../../errors.ts'

/** A part of a pattern: the folder to walk, absolute, and what to take below it. */
export interface PatternPart {
  readonly root: string
  readonly pattern: string
}

/** Whether it says more than one path. */
export function isPattern(text: string): boolean {
  return fastGlob.isDynamicPattern(text)
}

/**
 * Where to look for what: `{drafts,notes}/*.md` names two folders, and each is walked from where its pattern begins.
 * @throws UsageError for a pattern that could take for ever
 */
export function splitPattern(pattern: string, cwd: string): PatternPart[] {
  checkPattern(pattern)
  return fastGlob.generateTasks(pattern).flatMap(({ base, positive }) => {
    const root = resolve(cwd, base)
    return positive.map((subpattern) => ({
      root,
      pattern: relative(root, resolve(cwd, subpattern)).split(sep).join('/'),
    }))
  })
}

/**
 * Some patterns take a matcher exponential time (picomatch#175): those a person would not write are refused.
 * @throws UsageError
 */
export function checkPattern(pattern: string): void {
  const starsPerPart = Math.max(
    ...pattern.split('/').map((part) => part.replace(/\*+/g, '*').split('*').length - 1),
  )
  const doubleStars = pattern.split('/').filter((part) => part === '**').length
  const groups = pattern.match(/[*+?@!]\(/g)?.length ?? 0
  if (
    pattern.length > 256 ||
    starsPerPart > 6 ||
    doubleStars > 3 ||
    groups > 2 ||
    countAlternatives(pattern) > 1000
  ) {
    throw new UsageError(
      `the pattern ${JSON.stringify(truncate(pattern, 80))} is too complicated; use fewer wildcards, or --files-from with find`,
    )
  }
}

/** An upper bound for the number of patterns that the braces of one expand to. */
function countAlternatives(pattern: string): number {
  let [count, rest] = [1, pattern]
  for (let group = innermostBraces.exec(rest); group !== null; group = innermostBraces.exec(rest)) {
    const [whole, content = ''] = group
    const [, from = 0, to = 0] = /^(-?\d+)\.\.(-?\d+)/.exec(content) ?? []
    // A range of letters has at most as many as there are between A and z.
    const length = content.includes('..') ? Math.max(58, Math.abs(Number(to) - Number(from)) + 1) : 1
    count *= Math.max(length, content.split(',').length)
    rest = rest.replace(whole, '')
  }
  return count
}

const innermostBraces = /\{([^{}]*)\}/
