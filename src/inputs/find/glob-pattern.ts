import { relative, resolve, sep } from 'node:path'
import fastGlob from 'fast-glob'
import { toSlashes } from '../../core/document/document-path.ts'
import { truncate } from '../../core/text/truncate.ts'
import { UsageError } from '../../errors.ts'
import { findSpelling } from './named-path.ts'

/** A part of a glob pattern: the absolute path of the folder to search, and the pattern below that folder. */
export interface PatternPart {
  readonly root: string
  readonly pattern: string
}

/**
 * Whether a text is a glob pattern, which may match more than one path.
 * @param separator of the system: on Windows, a backslash separates names; elsewhere it escapes a wildcard
 */
export function isPattern(text: string, separator: string = sep): boolean {
  return fastGlob.isDynamicPattern(toSlashes(text, separator))
}

/**
 * Splits a pattern into the folders to search: `{drafts,notes}/*.md` has two, and each search starts in the
 * last folder without wildcards.
 * @param separator of the system; see {@link isPattern}
 * @throws UsageError for a pattern that could take exponential time
 */
export function splitPattern(pattern: string, cwd: string, separator: string = sep): PatternPart[] {
  checkPattern(pattern)
  return fastGlob.generateTasks(toSlashes(pattern, separator)).flatMap(({ base, positive }) => {
    const root = findSpelling(resolve(cwd, base), cwd)
    return positive.map((subpattern) => ({
      root,
      pattern: toSlashes(relative(root, resolve(cwd, subpattern))),
    }))
  })
}

/**
 * Rejects patterns that take a matcher exponential time (picomatch#175). The limits allow every pattern that
 * a person would write.
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

/** Returns an upper bound for the number of patterns that the braces of a pattern expand to. */
function countAlternatives(pattern: string): number {
  let [count, rest] = [1, pattern]
  for (let group = innermostBraces.exec(rest); group !== null; group = innermostBraces.exec(rest)) {
    const [whole, content = ''] = group
    const [, from = 0, to = 0] = /^(-?\d+)\.\.(-?\d+)/.exec(content) ?? []
    // A range of letters has at most 58 members, those from A to z.
    const length = content.includes('..') ? Math.max(58, Math.abs(Number(to) - Number(from)) + 1) : 1
    count *= Math.max(length, content.split(',').length)
    rest = rest.replace(whole, '')
  }
  return count
}

const innermostBraces = /\{([^{}]*)\}/
