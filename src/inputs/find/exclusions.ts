import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { isWithin } from '../../core/document/document-path.ts'
import {
  type ExcludePattern,
  escaped,
  foldPath,
  onlyNameOf,
  type Reading,
  readingAt,
  readingsOf,
} from './exclude-readings.ts'
import { checkPattern } from './pattern.ts'

/** A file or folder by its names: as it was found, and without symbolic links. Absolute. */
export interface Names {
  readonly path: string
  readonly real: string
}

/** What `--exclude` leaves out. */
export interface Exclusions {
  /** Whether something is excluded by itself, or with a folder that it lies in. */
  covers(names: Names, isFolder: boolean): boolean
  /** For the entries of one folder: whether each is excluded by itself. */
  inFolder(folder: Names): (name: string, isFolder: boolean) => boolean
  /** Notes that a folder is not searched: patterns that might match something in it are not reported as unmatched. */
  passOver(folder: Names): void
  /** The patterns that matched nothing, except those that name something outside of what was searched. */
  unmatched(): Promise<string[]>
}

export interface ExclusionsOptions {
  /** For a leading `~`; undefined where the environment has none. */
  readonly home: string | undefined
  /** The folders that are searched. */
  readonly searched: readonly Names[]
}

interface Exclusion {
  readonly pattern: string
  readonly readings: readonly PlacedReading[]
  hasMatched: boolean
}

interface PlacedReading extends Reading {
  /** The folders that its paths are relative to: folded, with a slash at the end. */
  readonly bases: readonly string[]
  /** What the path of something outside of all of them begins with; undefined where such paths are not compared. */
  readonly outside: string | undefined
  /** Where the file or folder is that a pattern without wildcards names: an absolute path. */
  readonly file: string | undefined
}

/** @throws UsageError for a pattern that could take for ever */
export async function createExclusions(
  patterns: readonly ExcludePattern[],
  { home, searched }: ExclusionsOptions,
): Promise<Exclusions> {
  const exclusions = await Promise.all(
    patterns.map(async ({ pattern, folder }): Promise<Exclusion> => {
      checkPattern(pattern)
      const read = await Promise.all(
        readingsOf({ pattern, folder }, home).map(async (reading) => {
          const placed = await placedReading(reading, folder, searched)
          return [placed, ...(await targetReading(placed, searched))]
        }),
      )
      return { pattern, readings: read.flat(), hasMatched: false }
    }),
  )
  return {
    covers: (names, isFolder) => covers(exclusions, names, isFolder),
    inFolder: (folder) => inFolder(exclusions, folder),
    passOver(folder) {
      const folded = foldedNames(folder)
      for (const exclusion of exclusions)
        exclusion.hasMatched ||= exclusion.readings.some((reading) => mayMatchIn(reading, folded))
    },
    async unmatched() {
      const left = exclusions.filter(({ hasMatched }) => !hasMatched)
      const exist = await Promise.all(left.map(({ readings }) => isAnyThere(readings)))
      return left.filter((_, n) => !exist[n]).map(({ pattern }) => pattern)
    },
  }
}

async function placedReading(
  reading: Reading,
  folder: string,
  searched: readonly Names[],
): Promise<PlacedReading> {
  const { relativeTo, pattern } = reading
  if (relativeTo === 'searched') {
    const bases = searched.flatMap(({ path, real }) => [asBase(path), asBase(real)])
    return { ...reading, bases: [...new Set(bases)], outside: undefined, file: undefined }
  }
  const around = typeof relativeTo === 'object' ? relativeTo.folder : folder
  const real = await realpath(around).catch(() => around)
  const name = onlyNameOf(pattern)
  return {
    ...reading,
    bases: [...new Set([asBase(around), asBase(real)])],
    outside: typeof relativeTo === 'object' ? undefined : sep === '/' ? '/' : '',
    file: name === undefined ? undefined : join(around, name),
  }
}

/** A link outside of what is searched means what it leads to; one inside is an entry like any other. */
async function targetReading(
  { file, foldersOnly }: PlacedReading,
  searched: readonly Names[],
): Promise<PlacedReading[]> {
  if (file === undefined || searched.some(({ path }) => isWithin(file, path))) return []
  const stats = await lstat(file).catch(() => undefined)
  const target = stats?.isSymbolicLink() ? await realpath(file).catch(() => undefined) : undefined
  if (target === undefined) return []
  const place = { relativeTo: { folder: dirname(target) }, pattern: escaped(basename(target)) }
  return [await placedReading(readingAt(place, foldersOnly), dirname(target), searched)]
}

function covers(exclusions: readonly Exclusion[], names: Names, isFolder: boolean): boolean {
  if (exclusions.length === 0) return false
  const folded = foldedNames(names)
  const found = exclusions.filter(({ readings }) =>
    readings.some((reading) => pathsFor(reading, folded).some((path) => coversPath(reading, path, isFolder))),
  )
  for (const exclusion of found) exclusion.hasMatched = true
  return found.length > 0
}

function coversPath(reading: PlacedReading, path: string, isFolder: boolean): boolean {
  // The folder itself that the pattern is relative to: only `.` matches it.
  if (path === '') return typeof reading.relativeTo === 'object' && reading.pattern === '**'
  const parts = path.split('/')
  return parts.some((part, n) => {
    if (reading.foldersOnly && n === parts.length - 1 && !isFolder) return false
    return reading.matches(reading.relativeTo === 'name' ? part : parts.slice(0, n + 1).join('/'))
  })
}

function inFolder(exclusions: readonly Exclusion[], folder: Names): ReturnType<Exclusions['inFolder']> {
  const folded = foldedNames(folder)
  const tests = exclusions.flatMap((exclusion) =>
    exclusion.readings.flatMap((reading) =>
      prefixesFor(reading, folded).map((prefix) => ({ exclusion, reading, prefix })),
    ),
  )
  return (name, isFolder) => {
    const last = tests.length === 0 ? '' : foldPath(name)
    let isExcluded = false
    for (const { exclusion, reading, prefix } of tests) {
      if ((reading.foldersOnly && !isFolder) || !reading.matches(prefix + last)) continue
      exclusion.hasMatched = true
      isExcluded = true
    }
    return isExcluded
  }
}

/** What comes before the names of a folder's entries in the paths that a reading compares. */
function prefixesFor(reading: PlacedReading, folder: readonly string[]): string[] {
  if (reading.relativeTo === 'name') return ['']
  return pathsFor(reading, folder).map((path) => (path === '' ? '' : `${path}/`))
}

function mayMatchIn(reading: PlacedReading, folder: readonly string[]): boolean {
  const isAround =
    typeof reading.relativeTo === 'object' &&
    folder.some((path) => reading.bases.some((base) => base.startsWith(path)))
  return isAround || pathsFor(reading, folder).some((path) => reading.mayMatchBelow(path))
}

async function isAnyThere(readings: readonly PlacedReading[]): Promise<boolean> {
  const files = readings.map(({ file }) => file).filter((file) => file !== undefined)
  const found = await Promise.all(files.map((file) => lstat(file).catch(() => undefined)))
  return found.some((stats) => stats !== undefined)
}

function asBase(folder: string): string {
  return foldPath(folder).replace(/\/?$/, '/')
}

/** Folded paths with a slash at the end. */
function foldedNames({ path, real }: Names): string[] {
  return path === real ? [asBase(path)] : [asBase(path), asBase(real)]
}

/**
 * Paths as a reading compares them: relative to each of its folders that they lie in, without a slash at the end.
 * @param folded see {@link foldedNames}
 */
function pathsFor({ bases, outside }: PlacedReading, folded: readonly string[]): string[] {
  const paths = folded.flatMap((path) => {
    const around = bases.filter((base) => path.startsWith(base))
    const from = around.length > 0 || outside === undefined ? around : [outside]
    return from.map((base) => path.slice(base.length).replace(/\/$/, ''))
  })
  return paths.length > 1 ? [...new Set(paths)] : paths
}
