import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { isInside } from '../../core/document/document-path.ts'
import { checkPattern } from './glob-pattern.ts'
import {
  createReading,
  type ExcludePattern,
  escapePattern,
  foldPath,
  listReadings,
  type PatternReading,
  toLiteralName,
} from './pattern-readings.ts'

/** The absolute path of a file or folder, as it was found and without symbolic links. */
export interface ResolvedPath {
  readonly path: string
  readonly realPath: string
}

/** The paths that `--exclude` leaves out. */
export interface Exclusions {
  /** Whether a path, or a folder that contains it, is excluded. */
  isExcluded(names: ResolvedPath, isFolder: boolean): boolean
  /** Returns a predicate for the entries of one folder: whether a pattern excludes the entry itself. */
  createFolderFilter(folder: ResolvedPath): (name: string, isFolder: boolean) => boolean
  /**
   * Records that a folder is not searched. Patterns that might match something in it are then not reported as
   * unmatched.
   */
  markUnsearched(folder: ResolvedPath): void
  /**
   * Returns the patterns without a match, except those that name an existing path outside the searched
   * folders.
   */
  listUnmatchedPatterns(): Promise<string[]>
}

export interface ExclusionsOptions {
  /** The user's home folder, for a leading `~`; undefined if the environment has none. */
  readonly home: string | undefined
  /** The searched folders. */
  readonly searched: readonly ResolvedPath[]
}

interface Exclusion {
  readonly pattern: string
  readonly readings: readonly PlacedReading[]
  hasMatched: boolean
}

interface PlacedReading extends PatternReading {
  /** The folders that compared paths are relative to, folded and with a trailing slash. */
  readonly bases: readonly string[]
  /** The prefix of compared paths outside all bases; undefined if such paths are not compared. */
  readonly outside: string | undefined
  /** The absolute path that a pattern without wildcards names; undefined for other patterns. */
  readonly file: string | undefined
}

/** Compiles the patterns of `--exclude`. @throws UsageError for a pattern that could take exponential time */
export async function createExclusions(
  patterns: readonly ExcludePattern[],
  { home, searched }: ExclusionsOptions,
): Promise<Exclusions> {
  const exclusions = await Promise.all(
    patterns.map(async ({ pattern, folder }): Promise<Exclusion> => {
      checkPattern(pattern)
      const readings = await Promise.all(
        listReadings({ pattern, folder }, home).map(async (reading) => {
          const placed = await placeReading(reading, folder, searched)
          return [placed, ...(await readLinkTargetAsPattern(placed, searched))]
        }),
      )
      return { pattern, readings: readings.flat(), hasMatched: false }
    }),
  )
  return {
    isExcluded: (names, isFolder) => isExcluded(exclusions, names, isFolder),
    createFolderFilter: (folder) => createFolderFilter(exclusions, folder),
    markUnsearched(folder) {
      const folded = foldPaths(folder)
      for (const exclusion of exclusions)
        exclusion.hasMatched ||= exclusion.readings.some((reading) => mayMatchIn(reading, folded))
    },
    async listUnmatchedPatterns() {
      const unmatched = exclusions.filter(({ hasMatched }) => !hasMatched)
      const exists = await Promise.all(unmatched.map(({ readings }) => isAnyPresent(readings)))
      return unmatched.filter((_, n) => !exists[n]).map(({ pattern }) => pattern)
    },
  }
}

async function placeReading(
  reading: PatternReading,
  folder: string,
  searched: readonly ResolvedPath[],
): Promise<PlacedReading> {
  const { relativeTo, pattern } = reading
  if (relativeTo === 'searched') {
    const bases = searched.flatMap(({ path, realPath }) => [toBase(path), toBase(realPath)])
    return { ...reading, bases: [...new Set(bases)], outside: undefined, file: undefined }
  }
  const baseFolder = typeof relativeTo === 'object' ? relativeTo.folder : folder
  const realFolder = await realpath(baseFolder).catch(() => baseFolder)
  const name = toLiteralName(pattern)
  return {
    ...reading,
    bases: [...new Set([toBase(baseFolder), toBase(realFolder)])],
    outside: typeof relativeTo === 'object' ? undefined : sep === '/' ? '/' : '',
    file: name === undefined ? undefined : join(baseFolder, name),
  }
}

/**
 * Returns a reading for the target of a link that a pattern names, if the link is outside the searched
 * folders. A link inside them is an entry like any other.
 */
async function readLinkTargetAsPattern(
  { file, foldersOnly }: PlacedReading,
  searched: readonly ResolvedPath[],
): Promise<PlacedReading[]> {
  if (file === undefined || searched.some(({ path }) => isInside(file, path))) return []
  const stats = await lstat(file).catch(() => undefined)
  const target = stats?.isSymbolicLink() ? await realpath(file).catch(() => undefined) : undefined
  if (target === undefined) return []
  const place = { relativeTo: { folder: dirname(target) }, pattern: escapePattern(basename(target)) }
  return [await placeReading(createReading(place, foldersOnly), dirname(target), searched)]
}

function isExcluded(exclusions: readonly Exclusion[], names: ResolvedPath, isFolder: boolean): boolean {
  if (exclusions.length === 0) return false
  const folded = foldPaths(names)
  const found = exclusions.filter(({ readings }) =>
    readings.some((reading) =>
      toComparedPaths(reading, folded).some((path) => isPathMatched(reading, path, isFolder)),
    ),
  )
  for (const exclusion of found) exclusion.hasMatched = true
  return found.length > 0
}

function isPathMatched(reading: PlacedReading, path: string, isFolder: boolean): boolean {
  // The path is the folder that the pattern is relative to; only `.` matches it.
  if (path === '') return typeof reading.relativeTo === 'object' && reading.pattern === '**'
  const parts = path.split('/')
  return parts.some((part, n) => {
    if (reading.foldersOnly && n === parts.length - 1 && !isFolder) return false
    return reading.matches(reading.relativeTo === 'name' ? part : parts.slice(0, n + 1).join('/'))
  })
}

function createFolderFilter(
  exclusions: readonly Exclusion[],
  folder: ResolvedPath,
): ReturnType<Exclusions['createFolderFilter']> {
  const folded = foldPaths(folder)
  const tests = exclusions.flatMap((exclusion) =>
    exclusion.readings.flatMap((reading) =>
      listPrefixes(reading, folded).map((prefix) => ({ exclusion, reading, prefix })),
    ),
  )
  return (name, isFolder) => {
    const foldedName = tests.length === 0 ? '' : foldPath(name)
    let isMatch = false
    for (const { exclusion, reading, prefix } of tests) {
      if ((reading.foldersOnly && !isFolder) || !reading.matches(prefix + foldedName)) continue
      exclusion.hasMatched = true
      isMatch = true
    }
    return isMatch
  }
}

/** Returns what comes before the names of a folder's entries in the paths that a reading compares. */
function listPrefixes(reading: PlacedReading, folder: readonly string[]): string[] {
  if (reading.relativeTo === 'name') return ['']
  return toComparedPaths(reading, folder).map((path) => (path === '' ? '' : `${path}/`))
}

function mayMatchIn(reading: PlacedReading, folder: readonly string[]): boolean {
  const isAboveBase =
    typeof reading.relativeTo === 'object' &&
    folder.some((path) => reading.bases.some((base) => base.startsWith(path)))
  return isAboveBase || toComparedPaths(reading, folder).some((path) => reading.mayMatchBelow(path))
}

async function isAnyPresent(readings: readonly PlacedReading[]): Promise<boolean> {
  const files = readings.map(({ file }) => file).filter((file) => file !== undefined)
  const found = await Promise.all(files.map((file) => lstat(file).catch(() => undefined)))
  return found.some((stats) => stats !== undefined)
}

function toBase(folder: string): string {
  return foldPath(folder).replace(/\/?$/, '/')
}

/** Returns both paths, folded and with a trailing slash. */
function foldPaths({ path, realPath }: ResolvedPath): string[] {
  return path === realPath ? [toBase(path)] : [toBase(path), toBase(realPath)]
}

/**
 * Returns the paths that a reading compares: relative to each base that contains them, without a trailing
 * slash.
 * @param folded see {@link foldPaths}
 */
function toComparedPaths({ bases, outside }: PlacedReading, folded: readonly string[]): string[] {
  const paths = folded.flatMap((path) => {
    const matchingBases = bases.filter((base) => path.startsWith(base))
    const from = matchingBases.length > 0 || outside === undefined ? matchingBases : [outside]
    return from.map((base) => path.slice(base.length).replace(/\/$/, ''))
  })
  return paths.length > 1 ? [...new Set(paths)] : paths
}
