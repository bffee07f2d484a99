import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FileStats } from '../../core/document/document.ts'
import { makeFolderBelow } from './create-folder.ts'
import { toWriteError } from './disk-error.ts'
import { createFile, moveFile, removeFile } from './no-follow-fs.ts'

/** What is written, in pieces where it may be long. */
export type Content = string | Iterable<string> | AsyncIterable<string | Uint8Array>

/**
 * Writes a file whole or not at all: a temporary file in the same directory, synced, then renamed over the name.
 * Killed at any instant, it leaves the old content or the new. A link at the name is replaced, not followed; a link
 * above it, below `root`, is refused. `root` itself exists, or has been removed and stays so.
 * @param nonce makes the temporary name this process's own
 * @param mode permissions before the umask
 * @returns the file as `stat` will show it
 * @throws ExitError `ioError` that names the file and the reason
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
    // Nearly always the folder is there.
    const handle = await create().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || directory === root) throw error
      await makeFolderBelow(root, directory)
      return create()
    })
    try {
      const stats = await writeContent(handle, content)
      await renameWithRetry(root, tempFile, file)
      return stats
    } catch (error) {
      await removeFile(root, tempFile).catch(() => {})
      throw error
    }
  } catch (error) {
    throw toWriteError(file, error as NodeJS.ErrnoException)
  }
}

async function writeContent(handle: FileHandle, content: Content): Promise<FileStats> {
  try {
    for await (const piece of typeof content === 'string' ? [content] : content) await handle.writeFile(piece)
    await handle.sync()
    const { size, mtimeMs } = await handle.stat()
    return { size, mtimeMs }
  } finally {
    await handle.close()
  }
}

/** Windows refuses a rename while a virus scanner looks at one of the files; it is over soon. */
async function renameWithRetry(root: string, tempFile: string, file: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await moveFile(root, tempFile, file)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'EPERM' && code !== 'EBUSY') || attempt > 5) throw error
      await delay(attempt * 20)
    }
  }
}

/** The name of a file that is not whole yet. */
function formatTempName(nonce: string): string {
  return `.claude-batch-${nonce}.tmp`
}

/** Whether this is a file that some run was about to write. */
export function isTempFile(name: string): boolean {
  return /^\.claude-batch-[0-9a-f]{12}-\w+\.tmp$/.test(name)
}
