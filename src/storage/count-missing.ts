import { resolve } from 'node:path'
import { isInside } from '../core/document/document-path.ts'
import { statDocument } from './deletion-check.ts'

/**
 * Returns how many documents with a summary were in a folder, if none of them exists any more; otherwise 0. All of them
 * are missing if a disk is not mounted.
 * @param folder absolute
 * @param paths of all documents with a summary
 * @param cwd that the paths are relative to
 */
export async function countMissingDocuments(
  folder: string,
  paths: Iterable<string>,
  cwd: string,
): Promise<number> {
  let count = 0
  for (const path of paths) {
    const file = resolve(cwd, path)
    if (path === '-' || !isInside(file, folder)) continue
    if ((await statDocument(file)) !== undefined) return 0
    count++
  }
  return count
}
