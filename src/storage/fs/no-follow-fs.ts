import { constants, type Stats } from 'node:fs'
import { copyFile, type FileHandle, link, open, readdir, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { lstatIfPresent, rejectSymlinks, symlinkReason, unusablePathError } from './symlinks.ts'

/*
 * The only way to the files in an output folder. What is in there is untrusted: a symbolic link may lead anywhere, a
 * pipe holds up whoever opens it, a device has no end. So nothing below the output folder is reached through a link,
 * and only regular files are opened. The output folder itself may be a link, because the user named it.
 *
 * `O_NOFOLLOW` guards the last name of a path alone, and Windows has none: the names are looked at one by one before.
 * A link that another process puts there between the look and the opening is followed; Node has no `openat`.
 *
 * `root` is always the output folder and `file` a path below it. All functions throw a ExitError `ioError` for what they
 * refuse, and the system's error otherwise, unless they say more.
 */

const notRegularReason = 'it is not a regular file'

const noFollow = constants.O_NOFOLLOW ?? 0
/** Otherwise opening a pipe waits for the other end to be opened. */
const nonBlocking = constants.O_NONBLOCK ?? 0

/** What a path names; a link is shown as the link it is. Undefined where there is nothing. @throws ExitError `ioError` */
export function statFile(root: string, file: string): Stats | undefined {
  rejectSymlinks(root, dirname(file))
  return lstatIfPresent(file)
}

/** Opens a regular file for reading; undefined where there is none. */
export async function openForReading(root: string, file: string): Promise<FileHandle | undefined> {
  if (statRegularFile(root, file) === undefined) return undefined
  return openRegularFile(file, constants.O_RDONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** The content of a regular file; undefined where there is none. @param maxBytes bytes that it may have */
export async function readWholeFile(
  root: string,
  file: string,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<Buffer | undefined> {
  const handle = await openForReading(root, file)
  if (handle === undefined) return undefined
  try {
    if ((await handle.stat()).size > maxBytes) throw unusablePathError(file, 'it is far too large')
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/**
 * Opens a regular file for reading, and for writing at its end; makes it where there is none. With `nlink` above 1 it
 * has another name, and what is written shows there too.
 */
export async function openForAppending(root: string, file: string, mode: number): Promise<FileHandle> {
  statRegularFile(root, file)
  return openRegularFile(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, mode)
}

/** Makes a new file and opens it for writing. @throws EEXIST where something has that name */
export async function createFile(root: string, file: string, mode: number): Promise<FileHandle> {
  rejectSymlinks(root, dirname(file))
  return open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, mode)
}

/** The names in a folder; none where there is no such folder. */
export async function listFolder(root: string, folder: string): Promise<string[]> {
  rejectSymlinks(root, folder)
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error.code === 'ENOTDIR' ? unusablePathError(folder, 'it is not a directory') : error
  })
}

/** Gives a file another name in the same folder, in place of what has that name, which is not followed. */
export async function moveFile(root: string, from: string, to: string): Promise<void> {
  rejectSymlinks(root, dirname(to))
  await rename(from, to)
}

/** Removes a file, or a link and not what it leads to; does nothing where there is none. */
export async function removeFile(root: string, file: string): Promise<void> {
  rejectSymlinks(root, dirname(file))
  await unlink(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** Gives a file a second name in the same folder, unless something has that name: then false. */
export async function linkFileIfAbsent(root: string, draft: string, file: string): Promise<boolean> {
  rejectSymlinks(root, dirname(file))
  const returnFalseIfPresent = (work: Promise<void>) =>
    work.then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false
        throw error
      },
    )
  return returnFalseIfPresent(link(draft, file)).catch((error: NodeJS.ErrnoException) => {
    // A file system without hard links: FAT, some network shares.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(error.code ?? '')) throw error
    return returnFalseIfPresent(copyFile(draft, file, constants.COPYFILE_EXCL))
  })
}

function statRegularFile(root: string, file: string): Stats | undefined {
  const stats = statFile(root, file)
  if (stats?.isFile() === false)
    throw unusablePathError(file, stats.isSymbolicLink() ? symlinkReason : notRegularReason)
  return stats
}

async function openRegularFile(file: string, flags: number, mode?: number): Promise<FileHandle> {
  const handle = await open(file, flags | noFollow | nonBlocking, mode).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'ELOOP' ? unusablePathError(file, symlinkReason) : error
    },
  )
  try {
    if (!(await handle.stat()).isFile()) throw unusablePathError(file, notRegularReason)
    return handle
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
}
