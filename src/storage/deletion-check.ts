import type { BigIntStats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { isWithin } from '../core/document/document-path.ts'

/** Tells documents that were deleted from those whose disk is not there. */
export interface Deleted {
  /** Told of each document that is there, and still as it was left. */
  saw(file: string, stats: { readonly dev: bigint | number }): void
  /**
   * A document counts as deleted where the nearest folder above it that is there still holds another one that was
   * seen, on the same file system: not where all that was in a folder is gone at once, as when a disk is.
   * @param top the folder that a document's own have to be in, such as the one that was named as input
   * @returns undefined for a document that was deleted; otherwise the folder that seems to be missing
   */
  missing(file: string, top: string | undefined): Promise<string | undefined>
}

export function createDeleted(): Deleted {
  /** Folders that hold a document at any depth, each with that one's file system. */
  const holding = new Set<string>()
  return {
    saw(file, { dev }) {
      for (let folder = dirname(file); !holding.has(`${dev} ${folder}`); folder = dirname(folder))
        holding.add(`${dev} ${folder}`)
    },
    async missing(file, top) {
      const nearest = await nearestThere(file)
      const inside = top === undefined || isWithin(nearest, top)
      if (inside && holding.has(`${await fileSystemOf(nearest)} ${nearest}`)) return undefined
      if (inside && (top !== undefined || nearest === dirname(file))) return nearest
      return join(nearest, relative(nearest, file).split(sep)[0] ?? '')
    },
  }
}

/** Undefined where a document is gone, `unknown` where that cannot be found out. */
export function statDocument(file: string): Promise<BigIntStats | 'unknown' | undefined> {
  return stat(file, { bigint: true }).catch(({ code }: NodeJS.ErrnoException) =>
    code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'unknown',
  )
}

/** The file itself, where it is a link that leads nowhere; or a folder above it. */
async function nearestThere(file: string): Promise<string> {
  let nearest = file
  while (dirname(nearest) !== nearest && !(await isThere(nearest))) nearest = dirname(nearest)
  return nearest
}

/** A link that leads nowhere is there: a disk may be missing behind it. */
function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  )
}

function fileSystemOf(folder: string): Promise<bigint | undefined> {
  return stat(folder, { bigint: true }).then(
    ({ dev }) => dev,
    () => undefined,
  )
}
