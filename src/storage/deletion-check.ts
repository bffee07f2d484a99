import type { BigIntStats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { isInside } from '../core/document/document-path.ts'

/** Distinguishes deleted documents from documents on a disk that is not mounted. */
export interface DeletionCheck {
  /** Must be called with each document that exists and is unchanged. */
  recordExisting(file: string, stats: { readonly dev: bigint | number }): void
  /**
   * Returns the folder that seems to be missing, or undefined if the document was deleted. A document counts
   * as deleted if its nearest existing parent folder still contains a recorded document on the same file
   * system. If all documents of a folder are gone, a disk may be missing instead.
   * @param topFolder the nearest existing parent must be in this folder, such as an input folder
   */
  findMissingFolder(file: string, topFolder: string | undefined): Promise<string | undefined>
}

/** Creates a check without any recorded documents. */
export function createDeletionCheck(): DeletionCheck {
  /** `<device id> <folder>` of each recorded document, for all its parent folders. */
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

/**
 * Returns the metadata of a document: undefined if it does not exist, `unknown` if the file system does not
 * answer.
 */
export function statDocument(file: string): Promise<BigIntStats | 'unknown' | undefined> {
  return stat(file, { bigint: true }).catch(({ code }: NodeJS.ErrnoException) =>
    code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'unknown',
  )
}

/** Returns the file itself if it is a broken link, or else its nearest existing parent folder. */
async function findNearestExisting(file: string): Promise<string> {
  let nearest = file
  while (dirname(nearest) !== nearest && !(await isPresent(nearest))) nearest = dirname(nearest)
  return nearest
}

/** Whether a path exists. A broken link exists, because its target may be on a disk that is not mounted. */
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
