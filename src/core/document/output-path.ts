import { hash } from 'node:crypto'
import { resolve, sep } from 'node:path'
import type { DocumentRef } from './document.ts'
import { toSlashes } from './document-path.ts'
import { toWindowsName } from './windows-names.ts'

/** The output files of one document, relative to the output folder, with `/`. */
export interface OutputPaths {
  readonly summary: string
  readonly errorRecord: string
}

export const summarySuffix = '.summary.md'
/** The suffix of a summary that is a JSON object. */
const jsonSummarySuffix = '.summary.json'
export const errorRecordSuffix = '.error.txt'

/** The name of the state folder in an output folder. */
export const stateFolder = '.claude-batch'

/**
 * Whether a path that was read from a file stays inside its folder. NUL is not allowed.
 * @param separator of the system: on Windows, backslashes and drives can leave the folder, and a colon leads to a
 * hidden stream of a file; elsewhere they are in names
 */
export function isSafeRelativePath(file: unknown, separator: string = sep): file is string {
  if (typeof file !== 'string' || file.includes('\0')) return false
  const parts = file.split(separator === '/' ? '/' : /[/\\]/)
  return parts[0] !== '' && !parts.includes('..') && (separator === '/' || !file.includes(':'))
}

/** Whether a path that was read from a file can be the name of a summary, of any document. */
export function isSummaryName(file: unknown): boolean {
  return isSafeRelativePath(file) && stripSummarySuffix(file) !== undefined
}

/** Whether a path that was read from a file can be the name of an error record, of any document. */
export function isErrorRecordName(file: unknown): boolean {
  return isSafeRelativePath(file) && file.endsWith(errorRecordSuffix)
}

/**
 * Whether {@link assignOutputPaths} can have assigned this name to the summary or error record of a document,
 * in a run in any working directory, on any system. Files that the ledger names are deleted or overwritten only if this
 * holds. Otherwise, an edited ledger could make claude-batch replace any other file.
 * @param path of the document, relative to `cwd` or absolute
 * @param cwd a working directory, absolute
 */
export function isOutputOf(file: string, path: string, cwd: string): boolean {
  const stem = isSummaryName(file)
    ? stripSummarySuffix(file)
    : isErrorRecordName(file)
      ? file.slice(0, -errorRecordSuffix.length)
      : undefined
  if (!stem || stem.toLowerCase().startsWith(`${stateFolder}/`)) return false
  if (stem === path) return true
  const stems = listStemsWithoutHashes(stem)
  return ['/', '\\'].some((separator) => {
    if (stems.includes(mirrorPath(path, separator))) return true
    // A run in a subfolder named the document by the end of its path. That may begin like a drive, which loses
    // its colon.
    const absolute = `/${mirrorPath(toSlashes(resolve(cwd, path)), separator)}`
    const ends = stems.flatMap((stem) => [`/${stem}`, `/${stem.replace(/^([a-z])\//i, '$1:/')}`])
    return path !== '-' && ends.some((end) => absolute.endsWith(end))
  })
}

/** Returns a stem, and the stems without the hashes that {@link assignOutputPaths} may have added to it. */
function listStemsWithoutHashes(stem: string): string[] {
  const stems = [stem]
  // One at a time, because the document's own name may end in a hash, too. An untrusted name may have any
  // number of them.
  for (let left = stem; stems.length <= maxHashes && collisionHash.test(left); stems.push(left))
    left = left.replace(collisionHash, '')
  return stems
}

/** The suffix that {@link assignOutputPaths} adds if two names collide. */
const collisionHash = /\.~[0-9a-f]{12}$/

/** Two hashes already require three working directories that share an output folder. */
const maxHashes = 10

export interface OutputPathOptions {
  /** Whether `A` and `a` are one name on the file system of the output folder. */
  readonly caseInsensitive: boolean
  /** Summaries of earlier runs, by document path. A document keeps its name; no other document gets it. */
  readonly existingSummaries: Iterable<readonly [path: string, summary: string]>
  /** The separator of the system; `\\` limits names to those that Windows allows. */
  readonly separator?: string
}

/** Returns the name of a summary without its suffix; undefined for any other file. */
export function stripSummarySuffix(summary: string): string | undefined {
  for (const suffix of [summarySuffix, jsonSummarySuffix])
    if (summary.endsWith(suffix)) return summary.slice(0, -suffix.length)
  return undefined
}

/** Returns the name of the file for another summary of the same document, which a merge keeps. @param n from 1 */
export function formatConflictName(summary: string, n: number): string {
  return summary.replace(/\.(md|json)$/, `.conflict-${n}.$1`)
}

/**
 * Assigns unique names in the output folder to every document. A document gets the same name in every run. If
 * two names collide, the later one gets a hash of its path. This happens to `/x/a.md` and `x/a.md`, or to
 * `A.md` and `a.md` on a case-insensitive file system.
 * @param documents all documents of the run, in order
 * @returns a function from a path, and whether its summary is a JSON object, to its names
 */
export function assignOutputPaths(
  documents: Iterable<Pick<DocumentRef, 'path' | 'mirroredPath'>>,
  { caseInsensitive, existingSummaries: earlier, separator = sep }: OutputPathOptions,
): (path: string, structured?: boolean) => OutputPaths {
  const normalizeCase = createCaseNormalizer(caseInsensitive)
  const owners = new Map<string, string>()
  /** Stems that differ from their path, by path. */
  const stems = new Map<string, string>()
  for (const [path, summary] of earlier) {
    const stem = stripSummarySuffix(summary) ?? summary
    owners.set(normalizeCase(stem), path)
    if (stem !== path) stems.set(path, stem)
  }
  for (const { path, mirroredPath = path } of documents) {
    const stem = stems.get(path) ?? mirrorPath(mirroredPath, separator)
    const uniqueStem = makeUniqueStem(
      stem,
      path,
      (name) => (owners.get(normalizeCase(name)) ?? path) !== path,
    )
    owners.set(normalizeCase(uniqueStem), path)
    if (uniqueStem !== path) stems.set(path, uniqueStem)
  }
  return (path, structured = false) => {
    const stem = stems.get(path) ?? path
    return {
      summary: `${stem}${structured ? jsonSummarySuffix : summarySuffix}`,
      errorRecord: `${stem}${errorRecordSuffix}`,
    }
  }
}

/** Returns a function that maps all spellings of a name that are one file to the same text. */
export function createCaseNormalizer(caseInsensitive: boolean): (stem: string) => string {
  return (stem) => (caseInsensitive ? stem.normalize('NFC').toLowerCase() : stem)
}

/** Returns the name of a document's files without a suffix; adds a hash of its path if the name is taken. */
export function makeUniqueStem(stem: string, path: string, isTaken: (stem: string) => boolean): string {
  let uniqueStem = stem
  // Repeats only if runs in several working directories share the output folder.
  for (let salt = path; isTaken(uniqueStem); salt = uniqueStem)
    uniqueStem = `${stem}.~${computeShortHash(salt)}`
  return uniqueStem
}

/**
 * Returns the path of a document in the output folder: `docs/a.md` is unchanged, `/srv/b.md` becomes
 * `srv/b.md`, and `C:/b.md` becomes `C/b.md`. `..` cannot occur, because a path outside the working directory
 * is absolute.
 * @param separator of the system
 */
function mirrorPath(path: string, separator: string): string {
  const parts = path === '-' ? ['stdin'] : path.replace(/^([a-z]):\//i, '$1/').split('/')
  const kept = parts.filter((part) => part !== '' && part !== '.' && part !== '..')
  // The working directory or the root, if it cannot be read.
  const names = separator === '/' ? kept : kept.map(toWindowsName)
  return names.length === 0 ? '~' : names.map(truncateName).join('/')
}

/** Common file systems allow names of 255 bytes. The rest is for the suffix and a collision hash. */
const maxNameBytes = 220

function truncateName(part: string): string {
  // A UTF-16 code unit takes at most three bytes in UTF-8, so most names need no exact count.
  if (part.length * 3 <= maxNameBytes || Buffer.byteLength(part) <= maxNameBytes) return part
  let head = part
  while (Buffer.byteLength(head) > maxNameBytes - 14) head = [...head].slice(0, -1).join('')
  return `${head}~${computeShortHash(part)}`
}

function computeShortHash(text: string): string {
  return hash('sha256', text).slice(0, 12)
}
