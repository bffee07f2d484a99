import { createHash } from 'node:crypto'

/** The names that belong to one source, relative to the output folder, with `/`. */
export interface OutputPath {
  readonly summary: string
  readonly record: string
}

export const summarySuffix = '.summary.md'
export const recordSuffix = '.error.txt'

/**
 * Gives every source names of its own below the output folder. The same source gets the same name in every run; only
 * where two would meet (`/x/a.md` and `x/a.md`, or `A.md` and `a.md` where the file system does not tell them apart)
 * the later one's name carries a hash of its path.
 * @param foldsCase the output file system takes `A` and `a` for one name
 */
export function outputPaths(foldsCase: boolean): (path: string) => OutputPath {
  const taken = new Set<string>()
  return (path) => {
    const stem = mirrored(path)
    const identity = foldsCase ? stem.normalize('NFC').toLowerCase() : stem
    const own = taken.has(identity) ? `${stem}.~${digest(path)}` : stem
    taken.add(identity)
    return { summary: `${own}${summarySuffix}`, record: `${own}${recordSuffix}` }
  }
}

/**
 * The path below the output folder: `docs/a.md` as it is, `/srv/b.md` and `C:/b.md` as `srv/b.md` and `C/b.md`.
 * `..` cannot appear: a path outside the working directory is absolute by then.
 */
function mirrored(path: string): string {
  const parts = path === '-' ? ['stdin'] : path.replace(/^([a-z]):\//i, '$1/').split('/')
  return parts
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .map(fitting)
    .join('/')
}

/** A name may have 255 bytes on every common file system; room is left for the suffix and a collision's hash. */
const longestName = 220

function fitting(part: string): string {
  if (Buffer.byteLength(part) <= longestName) return part
  let head = part
  while (Buffer.byteLength(head) > longestName - 14) head = [...head].slice(0, -1).join('')
  return `${head}~${digest(part)}`
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
