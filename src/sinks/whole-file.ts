import { constants } from 'node:fs'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { RunError } from '../errors.ts'

/**
 * Writes a file whole or not at all: a temporary file in the same directory, synced, then renamed over the name.
 * Killed at any instant, it leaves the old content or the new. A link at the name is replaced, not followed; a link
 * that leads a directory out of `root` is refused.
 * @param nonce makes the temporary name this process's own
 * @throws RunError `io` that names the file and the reason
 */
export async function writeWhole(root: string, file: string, text: string, nonce: string): Promise<void> {
  const directory = dirname(file)
  const temporary = join(directory, `.claude-batch-${nonce}.tmp`)
  try {
    await mkdir(directory, { recursive: true })
    await refuseEscape(root, directory)
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
    const handle = await open(temporary, flags, 0o666)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error instanceof RunError ? error : cannotWrite(file, error as NodeJS.ErrnoException)
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
