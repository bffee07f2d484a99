import type { BigIntStats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { isInside } from '../core/document/document-path.ts'

/** Tells documents that were deleted from those whose disk is not there. */
export interface DeletionCheck {
  /** Told of each document that is there, and still as it was left. */
  recordExisting(file: string, stats: { readonly dev: bigint | number }): void
  /**
   * A document counts as deleted where the nearest folder above it that is there still holds another one that
   * was seen, on the same file system: not where all that was in a folder is gone at once, as when a disk is.
   * @param topFolder the folder that a document's own have to be in, such as the one that was named as input
   * @returns undefined for a document that was deleted; otherwise the folder that seems to be missing
   */
  findMissingFolder(file: string, topFolder: string | undefined): Promise<string | undefined>
}

export function createDeletionCheck(): DeletionCheck {
  /** Folders that hold a document at any depth, each with that one's file system. */
  const foldersWithDocuments = new Set<string>()
  return {
    recordExisting(file, { dev }) {
      for (
        let folder = dirname(file);
        !foldersWithDocuments.has(`${dev} ${folder}`);
        folder = dirname(folder)
      )
        foldersWithDocuments.add(`${dev} ${folder}`)
    },
    async findMissingFolder(file, topFolder) {
      const nearestFolder = await findNearestExisting(file)
      const inside = topFolder === undefined || isInside(nearestFolder, topFolder)
      if (inside && foldersWithDocuments.has(`${await readDeviceId(nearestFolder)} ${nearestFolder}`))
        return undefined
      if (inside && (topFolder !== undefined || nearestFolder === dirname(file))) return nearestFolder
      return join(nearestFolder, relative(nearestFolder, file).split(sep)[0] ?? '')
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
async function findNearestExisting(file: string): Promise<string> {
  let nearest = file
  while (dirname(nearest) !== nearest && !(await isPresent(nearest))) nearest = dirname(nearest)
  return nearest
}

/** A link that leads nowhere is there: a disk may be missing behind it. */
function isPresent(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  )
}

function readDeviceId(folder: string): Promise<bigint | undefined> {
  return stat(folder, { bigint: true }).then(
    ({ dev }) => dev,
    () => undefined,
  )
}
