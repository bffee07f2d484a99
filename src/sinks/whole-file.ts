import { constants, type Stats } from 'node:fs'
import { mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { FileStats } from '../core/document.ts'
import { RunError } from '../errors.ts'

/**
 * Writes a file whole or not at all: a temporary file in the same directory, synced, then renamed over the name.
 * Killed at any instant, it leaves the old content or the new. A link at the name is replaced, not followed; a link
 * that leads a directory out of `root` is refused. `root` itself is there, or has been removed and stays so.
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
    if (directory !== root) await makeFolder(directory, root)
    if (await leadsOut(root, directory)) {
      throw new RunError(
        'io',
        `cannot write below ${directory}: a symbolic link leads it out of the output folder`,
      )
    }
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
    await put(temporary, file)
    return { size: stats.size, mtimeMs: stats.mtimeMs }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error instanceof RunError ? error : cannotWrite(file, error as NodeJS.ErrnoException)
  }
}

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

/**
 * Makes a folder and those above it, up to `root`. Node's own recursive `mkdir` never ends where `/proc` answers
 * ENOENT for ever.
 */
export async function makeFolder(folder: string, root?: string): Promise<void> {
  const above = dirname(folder)
  try {
    await mkdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && above !== folder && above !== root) {
      await makeFolder(above, root)
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

/**
 * Brings the names in a folder onto the disk: a rename is only then safe from a loss of power.
 * @throws RunError `io`
 */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    // Some file systems, and Windows, have no such thing.
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EINVAL', 'EPERM', 'EISDIR', 'ENOTSUP', 'EBADF'].includes(code))
      throw cannotWrite(folder, error as NodeJS.ErrnoException)
  }
}

/** What is there under this name; undefined where nothing is. @throws RunError `io` */
export function lookAt(file: string): Promise<Stats | undefined> {
  return stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw cannotRead(file, error)
  })
}

/** @throws RunError `io` */
export function contentOf(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw cannotRead(file, error)
  })
}

/**
 * Whether a symbolic link leads a directory below `root`, as far as it is there, to somewhere else.
 * @throws RunError `io`
 */
export async function leadsOut(root: string, directory: string): Promise<boolean> {
  if (directory === root) return false
  const [realRoot, real] = [await realPathOf(root), await realPathOf(directory)]
  if (realRoot === undefined || real === undefined) return leadsOut(root, dirname(directory))
  const inside = relative(realRoot, real)
  return inside === '..' || inside.startsWith(`..${sep}`)
}

function realPathOf(file: string): Promise<string | undefined> {
  return realpath(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw cannotRead(file, error)
  })
}

/** The one line for whatever cannot be written. */
export function cannotWrite(what: string, error: NodeJS.ErrnoException): RunError {
  return new RunError('io', `cannot write ${what}: ${reasonOf(error)}`)
}

/** The one line for whatever cannot be read of what was written. */
export function cannotRead(what: string, error: NodeJS.ErrnoException): RunError {
  return new RunError('io', `cannot read ${what}: ${reasonOf(error)}`)
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
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
  return reasons[code ?? ''] ?? message
}
