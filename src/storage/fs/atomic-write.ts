import { dirname, join } from 'node:path'
import type { FileStats } from '../../core/document/document.ts'
import { makeFolderBelow } from './create-folder.ts'
import { closeFile, readStats, syncFile, writeWhole } from './descriptor.ts'
import { toWriteError } from './disk-error.ts'
import { createFile, moveFile, removeFile } from './no-follow-fs.ts'

/** The content of a file, in pieces if it may be long. */
export type Content<Piece = string | Uint8Array> = string | Iterable<Piece> | AsyncIterable<Piece>

/**
 * Writes a file atomically: writes and syncs a temporary file in the same directory, then renames it over the
 * file. If the process is killed, the file has either the old content or the new content. A symbolic link
 * with the file's name is replaced, not followed. A link in a folder between `root` and the file is refused.
 * `root` is not created.
 * @param nonce makes the temporary file's name unique to this process
 * @param mode permissions before the umask
 * @returns the size and time that `stat` will report
 * @throws ExitError `ioError` with the name of the file and the reason
 */
export async function writeFileAtomic(
  root: string,
  file: string,
  content: Content,
  nonce: string,
  mode = 0o666,
): Promise<FileStats> {
  const directory = dirname(file)
  const tempFile = join(directory, formatTempName(nonce))
  const create = () => createFile(root, tempFile, mode)
  try {
    // The folder exists in nearly all cases.
    let descriptor: number
    try {
      descriptor = create()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || directory === root) throw error
      await makeFolderBelow(root, directory)
      descriptor = create()
    }
    try {
      const stats = await writeContent(descriptor, content)
      await moveFile(root, tempFile, file)
      return stats
    } catch (error) {
      await removeFile(root, tempFile).catch(() => {})
      throw error
    }
  } catch (error) {
    throw toWriteError(file, error as NodeJS.ErrnoException)
  }
}

async function writeContent(descriptor: number, content: Content): Promise<FileStats> {
  try {
    if (typeof content === 'string') writeWhole(descriptor, content)
    else for await (const piece of content) writeWhole(descriptor, piece)
    await syncFile(descriptor)
    return readStats(descriptor)
  } finally {
    closeFile(descriptor)
  }
}

/** Returns the name of a temporary file. */
function formatTempName(nonce: string): string {
  return `.claude-batch-${nonce}.tmp`
}

/** Whether a file name is one of {@link writeFileAtomic}'s temporary names, from any run. */
export function isTempFile(name: string): boolean {
  return /^\.claude-batch-[0-9a-f]{12}-\w+\.tmp$/.test(name)
}
