import { constants } from 'node:fs'
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import type { FileStats } from '../core/document.ts'
import { RunError } from '../errors.ts'

/**
 * Writes a file whole or not at all: a temporary file in the same directory, synced, then renamed over the name.
 * Killed at any instant, it leaves the old content or the new. A link at the name is replaced, not followed; a link
 * that leads a directory out of `root` is refused.
 * @param nonce makes the temporary name this process's own
 * @returns the file as `stat` will show it
 * @throws RunError `io` that names the file and the reason
 */
export async function writeWhole(
  root: string,
  file: string,
  text: string,
  nonce: string,
): Promise<FileStats> {
  const directory = dirname(file)
  const temporary = join(directory, temporaryName(nonce))
  try {
    await makeFolder(directory)
    await refuseEscape(root, directory)
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
    const handle = await open(temporary, flags, 0o666)
    let stats: FileStats
    try {
      await handle.writeFile(text)
      await handle.sync()
      stats = await handle.stat()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
    return { size: stats.size, mtimeMs: stats.mtimeMs }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error instanceof RunError ? error : cannotWrite(file, error as NodeJS.ErrnoException)
  }
}

/** The name of a file that is not whole yet. */
function temporaryName(nonce: string): string {
  return `.claude-batch-${nonce}.tmp`
}

export function isTemporary(name: string): boolean {
  return /^\.claude-batch-[0-9a-f]{12}-\w+\.tmp$/.test(name)
}

/** Makes a folder and those above it. Node's own recursive `mkdir` never ends where `/proc` answers ENOENT for ever. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(folder) !== folder) {
      await makeFolder(dirname(folder))
      await mkdir(folder).catch(unlessFolder(folder))
    } else await unlessFolder(folder)(error as NodeJS.ErrnoException)
  }
}

function unlessFolder(folder: string): (error: NodeJS.ErrnoException) => Promise<void> {
  return async (error) => {
    // Somebody else made it meanwhile, or it is a mount point that says EROFS before EEXIST.
    const stats = await stat(folder).catch(() => undefined)
    if (!stats?.isDirectory()) throw error
  }
}

/** Brings the names in a folder onto the disk: a rename is only then safe from a loss of power. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems, and Windows, have no such thing.
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP', 'EBADF'].includes(code)) throw error
  } finally {
    await handle.close()
  }
}

async function refuseEscape(root: string, directory: string): Promise<void> {
  const inside = relative(await realpath(root), await realpath(directory))
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    throw new RunError(
      'io',
      `cannot write below ${directory}: a symbolic link leads it out of the output folder`,
    )
  }
}

/** The one line for whatever cannot be written. */
export function cannotWrite(what: string, { code, message }: NodeJS.ErrnoException): RunError {
  const reasons: Readonly<Record<string, string>> = {
    ENOSPC: 'no space left on the device',
    EDQUOT: 'the disk quota is used up',
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    EROFS: 'the file system is read-only',
    ENOENT: 'no such directory',
    EISDIR: 'a directory of that name is in the way',
    ENOTDIR: 'a file stands where a directory is needed',
    EMFILE: 'too many open files (raise ulimit -n, or lower --concurrency)',
  }
  return new RunError('io', `cannot write ${what}: ${reasons[code ?? ''] ?? message}`)
}
