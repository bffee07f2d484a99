import { hash } from 'node:crypto'
import { resolve, sep } from 'node:path'

/** The names that belong to one source, relative to the output folder, with `/`. */
export interface OutputPaths {
  readonly summary: string
  readonly errorRecord: string
}

export const summarySuffix = '.summary.md'
/** Of a summary that is a JSON object. */
const jsonSummarySuffix = '.summary.json'
export const errorRecordSuffix = '.error.txt'

/** Where an output folder keeps its state, next to the summaries. */
export const stateFolder = '.claude-batch'

/**
 * Whether a name that was read from a file stays below the folder it is meant for. NUL is in no name.
 * @param separator of the system: on Windows backslashes and drives lead elsewhere, too; on others they are in names
 */
export function isSafeRelativePath(file: unknown, separator: string = sep): file is string {
  if (typeof file !== 'string' || file.includes('\0')) return false
  const parts = file.split(separator === '/' ? '/' : /[/\\]/)
  return parts[0] !== '' && !parts.includes('..') && (separator === '/' || !/^[a-z]:/i.test(file))
}

/** Whether a name that was read from a file can be a summary's, of whichever document. */
export function isSummaryName(file: unknown): boolean {
  return isSafeRelativePath(file) && stripSummarySuffix(file) !== undefined
}

/** Whether a name that was read from a file can be an error record's, of whichever document. */
export function isErrorRecordName(file: unknown): boolean {
  return isSafeRelativePath(file) && file.endsWith(errorRecordSuffix)
}

/**
 * Whether {@link assignOutputPaths} can have given a document this name, for its summary or its error record, in a run of
 * whichever working directory. A name that was read from a file is deleted or written to only where it can: otherwise
 * whoever changed that file could have any other file replaced.
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
  if (stems.includes(mirrorPath(path))) return true
  // A run in a folder further down knew the document by the end of its path, which may look like one with a drive.
  const absolute = `/${mirrorPath(resolve(cwd, path).split(sep).join('/'))}`
  const ends = stems.flatMap((it) => [`/${it}`, `/${it.replace(/^([a-z])\//i, '$1:/')}`])
  return path !== '-' && ends.some((it) => absolute.endsWith(it))
}

/** A stem, and what is left of it without the hashes that {@link assignOutputPaths} may have added, one after another. */
function listStemsWithoutHashes(stem: string): string[] {
  const stems = [stem]
  // One at a time, since the document's own name may end like that, too. A name from a file may have any number of them.
  for (let left = stem; stems.length <= maxHashes && collisionHash.test(left); stems.push(left))
    left = left.replace(collisionHash, '')
  return stems
}

/** What {@link assignOutputPaths} adds where two names would meet. */
const collisionHash = /\.~[0-9a-f]{12}$/

/** Two already take three working directories that share an output folder. */
const maxHashes = 10

export interface OutputPathOptions {
  /** The output file system takes `A` and `a` for one name. */
  readonly caseInsensitive: boolean
  /** Summaries of earlier runs, by the path of their source: a source keeps its name, and nobody else gets it. */
  readonly existingSummaries: Iterable<readonly [path: string, summary: string]>
}

/** The name of a summary without what tells that it is one; undefined for any other file. */
export function stripSummarySuffix(summary: string): string | undefined {
  return [summarySuffix, jsonSummarySuffix].flatMap((suffix) =>
    summary.endsWith(suffix) ? [summary.slice(0, -suffix.length)] : [],
  )[0]
}

/**
 * Gives every source names of its own below the output folder. The same source gets the same name in every run; only
 * where two would meet (`/x/a.md` and `x/a.md`, or `A.md` and `a.md` where the file system does not tell them apart)
 * the later one's name carries a hash of its path.
 * @param paths all sources of the run, in order
 * @returns given a path, and whether its summary is a JSON object, its names
 */
export function assignOutputPaths(
  paths: Iterable<string>,
  { caseInsensitive, existingSummaries: earlier }: OutputPathOptions,
): (path: string, structured?: boolean) => OutputPaths {
  const normalizeCase = (stem: string) => (caseInsensitive ? stem.normalize('NFC').toLowerCase() : stem)
  const owners = new Map<string, string>()
  /** Where it is not simply the mirrored path. */
  const stems = new Map<string, string>()
  for (const [path, summary] of earlier) {
    const stem = stripSummarySuffix(summary) ?? summary
    owners.set(normalizeCase(stem), path)
    if (stem !== path) stems.set(path, stem)
  }
  for (const path of paths) {
    const stem = stems.get(path) ?? mirrorPath(path)
    const isTaken = (name: string) => (owners.get(normalizeCase(name)) ?? path) !== path
    let uniqueStem = stem
    // More than once only where runs of several working directories share the folder.
    for (let salt = path; isTaken(uniqueStem); salt = uniqueStem)
      uniqueStem = `${stem}.~${computeShortHash(salt)}`
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

/**
 * The path below the output folder: `docs/a.md` as it is, `/srv/b.md` and `C:/b.md` as `srv/b.md` and `C/b.md`.
 * `..` cannot appear: a path outside the working directory is absolute by then.
 */
function mirrorPath(path: string): string {
  const parts = path === '-' ? ['stdin'] : path.replace(/^([a-z]):\//i, '$1/').split('/')
  const kept = parts.filter((part) => part !== '' && part !== '.' && part !== '..')
  // The folder itself, where it cannot be walked.
  return kept.length === 0 ? '~' : kept.map(truncateName).join('/')
}

/** A name may have 255 bytes on every common file system; room is left for the suffix and a collision's hash. */
const maxNameBytes = 220

function truncateName(part: string): string {
  // Every character takes at most three bytes of UTF-8 for each of its UTF-16 units.
  if (part.length * 3 <= maxNameBytes || Buffer.byteLength(part) <= maxNameBytes) return part
  let head = part
  while (Buffer.byteLength(head) > maxNameBytes - 14) head = [...head].slice(0, -1).join('')
  return `${head}~${computeShortHash(part)}`
}

function computeShortHash(text: string): string {
  return hash('sha256', text).slice(0, 12)
}
