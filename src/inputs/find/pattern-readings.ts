import { dirname, isAbsolute, join, parse, posix, sep } from 'node:path'
import micromatch from 'micromatch'
import { wildmatch } from './git/wildmatch.ts'

/** A pattern of `--exclude`. */
export interface ExcludePattern {
  /** As the user wrote it. */
  readonly pattern: string
  /** The working directory, or the folder of the configuration file that has the pattern; absolute. */
  readonly folder: string
}

/** One way to understand a pattern. Its paths are those that {@link foldPath} returns. */
export interface PatternReading extends PatternPlace {
  /** It ends with a slash, or with `/**`. */
  readonly foldersOnly: boolean
  matches(path: string): boolean
  /** Whether it might match something below a folder. Names that could be anywhere do not count. */
  mayMatchBelow(folder: string): boolean
}

interface PatternPlace {
  /**
   * What the pattern is compared with: `name`, the last part of a path; `searched`, the path below the folder that is
   * searched; `shown`, the path below the pattern's folder, or the absolute path of what lies outside; or the path below
   * another folder.
   */
  readonly relativeTo: 'name' | 'searched' | 'shown' | { readonly folder: string }
  readonly pattern: string
}

/**
 * All reasonable ways to understand a pattern: as git would in a `.gitignore`, as a glob with braces and groups, and as
 * the very name of a file. What any of them matches is excluded, since sending a confidential file is worse than
 * skipping another one. For the same reason, the case of letters does not count.
 * @param home for a leading `~`; undefined where the environment has none
 */
export function listReadings(
  { pattern, folder }: ExcludePattern,
  home: string | undefined,
): PatternReading[] {
  const spellings = [pattern, useSlashes(pattern), expandHome(pattern, home)]
  const variants = new Set(
    spellings
      .flatMap((text) => [text, ...expandBraces(text)])
      .flatMap((text) => [text, ...escapeAsLiterals(text)]),
  )
  return [...variants].flatMap((variant) => {
    const normal = posix.normalize(variant)
    // `drafts/**` is the folder with all that is in it.
    const withoutTail = normal.replace(/(?:\/(?:\*\*)?)+$/, '')
    return listPlaces(variant, withoutTail, folder).map((place) =>
      createReading(place, withoutTail !== normal && withoutTail !== ''),
    )
  })
}

/** Reads a pattern in one way. */
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
  const folded = path.toLowerCase().normalize('NFC')
  return sep === '/' ? folded : folded.replaceAll(sep, '/')
}

/** The one name that a pattern without wildcards matches; undefined for others. */
export function toLiteralName(pattern: string): string | undefined {
  return /^(?:\\.|[^*?[\\])*$/s.test(pattern) ? pattern.replace(/\\(.)/gs, '$1') : undefined
}

/** With backslashes as separators, as on Windows; elsewhere not those that may well escape a wildcard. */
function useSlashes(pattern: string): string {
  const isForWindows = sep === '\\' || /\\[\p{L}\p{N}_.~-]/u.test(pattern)
  return pattern.replace(isForWindows ? /\\/g : /\\(?![*?])/g, '/')
}

function expandHome(pattern: string, home: string | undefined): string {
  return home === undefined ? pattern : pattern.replace(/^~(?=\/|$)/, () => escapePattern(home))
}

function expandBraces(pattern: string): string[] {
  if (!pattern.includes('{')) return []
  return micromatch.braces(pattern, { expand: true, keepEscaping: true, nodupes: true })
}

/** As names that have brackets, backslashes, or wildcards before their end. */
function escapeAsLiterals(pattern: string): string[] {
  const [, name = '', end = ''] = /^(.*?)((?:\/\**)*)$/s.exec(pattern) ?? []
  return [pattern.replace(/[[\]]/g, '\\$&'), pattern.replace(/[[\]\\]/g, '\\$&'), escapePattern(name) + end]
}

/** As a pattern that matches this text alone. */
export function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}

/** @param withoutTail the pattern, normalized and without a slash at its end */
function listPlaces(variant: string, withoutTail: string, folder: string): PatternPlace[] {
  if (isAbsolute(variant)) {
    const { root } = parse(variant)
    const rest = withoutTail.slice(root.length)
    // In a .gitignore, a slash at the start means the folder that the file is in.
    return [toPlaceBelow(root, rest), ...(root === '/' && rest !== '' ? toAnchoredPlaces(rest, folder) : [])]
  }
  let [base, rest] = [folder, withoutTail === '.' ? '' : withoutTail]
  for (; rest === '..' || rest.startsWith('../'); rest = rest.slice(3)) base = dirname(base)
  if (rest === '' || base !== folder) return [toPlaceBelow(base, rest)]
  // To git, `drafts/*` has a slash inside, and is about one place; people write it for `drafts/`.
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

/** With the literal folders at its start, which may be links, as part of the folder. */
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
  // Groups as `@(a|b)` are unknown to git.
  const isGlob = pattern.includes('(') ? micromatch.matcher(text, { dot: true, nonegate: true }) : undefined
  return (path) => wildmatch(text, path, { pathname: true }) || isGlob?.(path) === true
}

/** A pattern for the paths that {@link foldPath} returns. */
function foldPattern(pattern: string): string {
  return pattern.toLowerCase().normalize('NFC').replaceAll('[:upper:]', '[:alpha:]')
}
