import { dirname, isAbsolute, join, parse, posix, sep } from 'node:path'
import micromatch from 'micromatch'
import { toSlashes } from '../../core/document/document-path.ts'
import { wildmatch } from './git/wildmatch.ts'

/** A pattern of `--exclude`. */
export interface ExcludePattern {
  /** As the user wrote it. */
  readonly pattern: string
  /** The working directory, or the folder of the configuration file that has the pattern; absolute. */
  readonly folder: string
}

/** One way to interpret a pattern. It compares paths that {@link foldPath} returns. */
export interface PatternReading extends PatternPlace {
  /** Whether the pattern ends with `/` or `/**`, so that it matches only folders. */
  readonly foldersOnly: boolean
  matches(path: string): boolean
  /** Whether the pattern might match a path below a folder; false for a pattern that matches at any depth. */
  mayMatchBelow(folder: string): boolean
}

interface PatternPlace {
  /**
   * The part of a path that is compared with the pattern. `name`: its last part. `searched`: the path
   * relative to the searched folder. `shown`: the path relative to the pattern's folder, or the absolute path
   * outside of it. An object: the path relative to that folder.
   */
  readonly relativeTo: 'name' | 'searched' | 'shown' | { readonly folder: string }
  readonly pattern: string
}

/**
 * Returns all plausible ways to interpret a pattern: as git does in a `.gitignore`, as a glob with braces and
 * groups, and as the literal name of a file. A path is excluded if any of them matches, because sending a
 * confidential file is worse than skipping another one. For the same reason, matching ignores case.
 * @param home the user's home folder, for a leading `~`; undefined if the environment has none
 */
export function listReadings(
  { pattern, folder }: ExcludePattern,
  home: string | undefined,
): PatternReading[] {
  const spellings = [pattern, useSlashes(pattern)].flatMap((text) => [text, expandHome(text, home)])
  const variants = new Set(
    spellings
      .flatMap((text) => [text, ...expandBraces(text)])
      .flatMap((text) => [text, ...escapeAsLiterals(text)]),
  )
  return [...variants].flatMap((variant) => {
    const normal = posix.normalize(variant)
    // `drafts/**` means the folder with everything in it.
    const withoutTail = normal.replace(/(?:\/(?:\*\*)?)+$/, '')
    return listPlaces(variant, withoutTail, folder).map((place) =>
      createReading(place, withoutTail !== normal && withoutTail !== ''),
    )
  })
}

/** Creates one interpretation of a pattern. */
export function createReading(place: PatternPlace, foldersOnly: boolean): PatternReading {
  const [patternNames, matchesAnywhere] = [place.pattern.split('/'), /^\*\*|[()]/.test(place.pattern)]
  return {
    ...place,
    foldersOnly,
    matches: createPathMatcher(place.pattern),
    mayMatchBelow(folder) {
      const names = folder.split('/')
      if (place.relativeTo === 'name' || matchesAnywhere) return false
      const firstDifference = names.findIndex(
        (name, n) => !wildmatch(foldPattern(patternNames[n] ?? ''), name),
      )
      return firstDifference === -1
        ? patternNames.length > names.length
        : patternNames.slice(0, firstDifference + 1).includes('**')
    },
  }
}

/** Prepares a path for comparison: separators are `/`, letters are in lower case, accents are composed. */
export function foldPath(path: string): string {
  return toSlashes(path.toLowerCase().normalize('NFC'))
}

/** Returns the only name that a pattern without wildcards matches; undefined for other patterns. */
export function toLiteralName(pattern: string): string | undefined {
  return /^(?:\\.|[^*?[\\])*$/s.test(pattern) ? pattern.replace(/\\(.)/gs, '$1') : undefined
}

/**
 * Returns the pattern with backslashes as separators, as on Windows. Elsewhere, backslashes that may escape a
 * wildcard are kept.
 */
function useSlashes(pattern: string): string {
  const isForWindows = sep === '\\' || /\\[\p{L}\p{N}_.~-]/u.test(pattern)
  return pattern.replace(isForWindows ? /\\/g : /\\(?![*?])/g, '/')
}

function expandHome(pattern: string, home: string | undefined): string {
  return home === undefined ? pattern : pattern.replace(/^~(?=\/|$)/, () => escapePattern(toSlashes(home)))
}

function expandBraces(pattern: string): string[] {
  if (!pattern.includes('{')) return []
  return micromatch.braces(pattern, { expand: true, keepEscaping: true, nodupes: true })
}

/** Returns variants for literal names that contain brackets, backslashes, or wildcards before their end. */
function escapeAsLiterals(pattern: string): string[] {
  const [, name = '', end = ''] = /^(.*?)((?:\/\**)*)$/s.exec(pattern) ?? []
  return [pattern.replace(/[[\]]/g, '\\$&'), pattern.replace(/[[\]\\]/g, '\\$&'), escapePattern(name) + end]
}

/** Returns a pattern that matches only this text. */
export function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}

/**
 * Returns the places where a pattern may apply.
 * @param withoutTail the normalized pattern, without a trailing slash
 */
function listPlaces(variant: string, withoutTail: string, folder: string): PatternPlace[] {
  if (isAbsolute(variant)) {
    const { root } = parse(variant)
    // The root of a network share, `//server/share/`, lost a slash.
    const rest = withoutTail.slice(posix.normalize(root).length)
    // In a .gitignore, a leading slash means the folder of the file.
    return [toPlaceBelow(root, rest), ...(root === '/' && rest !== '' ? toAnchoredPlaces(rest, folder) : [])]
  }
  let [base, rest] = [folder, withoutTail === '.' ? '' : withoutTail]
  for (; rest === '..' || rest.startsWith('../'); rest = rest.slice(3)) base = dirname(base)
  if (rest === '' || base !== folder) return [toPlaceBelow(base, rest)]
  // Git anchors `drafts/*` to one folder because of its slash; people write it to mean `drafts/`.
  if (variant.replace(/(?:\/\**)+$/, '').includes('/')) return toAnchoredPlaces(rest, folder)
  return [
    rest.includes('/')
      ? { relativeTo: 'shown', pattern: `**/${rest}` }
      : { relativeTo: 'name', pattern: rest },
  ]
}

function toAnchoredPlaces(pattern: string, folder: string): PatternPlace[] {
  return [
    { relativeTo: 'searched', pattern },
    { relativeTo: 'shown', pattern },
    toPlaceBelow(folder, pattern),
  ]
}

/**
 * Moves the literal folders at the start of a pattern, which may be links, to the folder that it is relative
 * to.
 */
function toPlaceBelow(folder: string, pattern: string): PatternPlace {
  const parts = pattern.split('/')
  const firstWildcard = parts.slice(0, -1).findIndex((part) => /[*?[\]\\(){}]/.test(part))
  const count = firstWildcard === -1 ? parts.length - 1 : firstWildcard
  const rest = parts.slice(count).join('/')
  return {
    relativeTo: { folder: join(folder, ...parts.slice(0, count)) },
    pattern: rest === '' ? '**' : rest,
  }
}

function createPathMatcher(pattern: string): PatternReading['matches'] {
  const text = foldPattern(pattern)
  // Git has no groups such as `@(a|b)`.
  const isGlob = pattern.includes('(') ? micromatch.matcher(text, { dot: true, nonegate: true }) : undefined
  return (path) => wildmatch(text, path, { pathname: true }) || isGlob?.(path) === true
}

/** Returns a pattern for the paths that {@link foldPath} returns. */
function foldPattern(pattern: string): string {
  return pattern.toLowerCase().normalize('NFC').replaceAll('[:upper:]', '[:alpha:]')
}
