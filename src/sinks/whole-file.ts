import { constants } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FileStats } from '../core/document.ts'
import { RunError } from '../errors.ts'
import { type LeadsOut, leadsOut, makeFolder } from './directories.ts'
import { cannotWrite } from './disk-error.ts'

/**
 * Writes a file whole or not at all: a temporary file in the same directory, synced, then renamed over the name.
 * Killed at any instant, it leaves the old content or the new. A link at the name is replaced, not followed; a link
 * that leads a directory out of `root` is refused. `root` itself is there, or has been removed and stays so.
 * @param text in pieces, where it may be long
 * @param nonce makes the temporary name this process's own
 * @param leads as {@link leadsOut} for `root`
 * @returns the file as `stat` will show it
 * @throws RunError `io` that names the file and the reason
 */
export async function writeWhole(
  root: string,
  file: string,
  text: string | Iterable<string>,
  nonce: string,
  leads: LeadsOut = (directory) => leadsOut(root, directory),
): Promise<FileStats> {
  const directory = dirname(file)
  const temporary = join(directory, temporaryName(nonce))
  const begin = async () => {
    if (await leads(directory)) {
      throw new RunError(
        'io',
        `cannot write below ${directory}: a symbolic link leads it out of the output folder`,
      )
    }
    return open(temporary, createNew, 0o666)
  }
  try {
    // Nearly always the folder is there.
    const handle = await begin().catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || directory === root) throw error
      await makeFolder(directory, root)
      return begin()
    })
    let stats: FileStats
    try {
      for (const piece of typeof text === 'string' ? [text] : text) await handle.writeFile(piece)
      await handle.sync()
      stats = await handle.stat()
    } finally {
      await handle.close()
    }
    await put(temporary, file)
    return { size: stats.size, mtimeMs: stats.mtimeMs }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error instanceof RunError ? error : cannotWrite(file, error as NodeJS.ErrnoException)
  }
}

const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/** Windows refuses a rename while a virus scanner looks at one of the files; it is over soon. */
async function put(temporary: string, file: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await rename(temporary, file)
      return
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'EPERM' && code !== 'EBUSY') || tries > 5) throw error
      await delay(tries * 20)
    }
  }
}

/** The name of a file that is not whole yet. */
function temporaryName(nonce: string): string {
  return `.claude-batch-${nonce}.tmp`
}

/** Whether this is a file that some run was about to write. */
export function isTemporary(name: string): boolean {
  return /^\.claude-batch-[0-9a-f]{12}-\w+\.tmp$/.test(name)
}
