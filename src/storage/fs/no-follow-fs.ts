import { constants, openSync, renameSync, type Stats } from 'node:fs'
import { copyFile, type FileHandle, link, open, readdir, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { retryWhileBusy } from './retry-while-busy.ts'
import { lstatIfPresent, rejectSymlinks, symlinkReason, unusablePathError } from './symlinks.ts'

/*
 * All access to files in an output folder goes through these functions. The folder's content is untrusted: a
 * symbolic link may lead anywhere, opening a pipe blocks, and a device has no end. So claude-batch follows no
 * link below the output folder, and opens only regular files. The output folder itself may be a link, because
 * the user named it.
 *
 * `O_NOFOLLOW` protects only the last name of a path, and Windows does not have it, so each folder of a path
 * is checked first. A link that another process creates between the check and `open` is followed; Node has no
 * `openat`.
 *
 * `root` is always the output folder and `file` a path below it. Unless documented otherwise, all functions
 * throw an ExitError `ioError` for a path that they refuse, and the system's error for anything else.
 */

const notRegularReason = 'it is not a regular file'

const noFollow = constants.O_NOFOLLOW ?? 0
/** Without this flag, opening a pipe blocks until the other end is open. */
const nonBlocking = constants.O_NONBLOCK ?? 0

/**
 * Returns the metadata of a path, like `lstat`; undefined if it does not exist.
 * @throws ExitError `ioError`
 */
export function statFile(root: string, file: string): Stats | undefined {
  rejectSymlinks(root, dirname(file))
  return lstatIfPresent(file)
}

/** Opens a regular file for reading; returns undefined if it does not exist. */
export async function openForReading(root: string, file: string): Promise<FileHandle | undefined> {
  if (statRegularFile(root, file) === undefined) return undefined
  return openRegularFile(file, constants.O_RDONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** Reads a regular file; returns undefined if it does not exist. @param maxBytes a larger file is refused */
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
 * Opens a regular file for reading and appending; creates it if it does not exist. If its `nlink` is above 1,
 * the file has other names (hard links), and appended text appears under those too.
 */
export async function openForAppending(root: string, file: string, mode: number): Promise<FileHandle> {
  statRegularFile(root, file)
  return openRegularFile(file, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, mode)
}

/**
 * Empties a regular file; does nothing if it does not exist. Opens the file again, because Windows truncates no
 * file through a handle that was opened for appending (nodejs/node#3177).
 */
export async function emptyFile(root: string, file: string): Promise<void> {
  if (statRegularFile(root, file) === undefined) return
  const handle = await openRegularFile(file, constants.O_RDWR)
  try {
    await handle.truncate(0)
  } finally {
    await handle.close()
  }
}

/** Creates a file and opens it for writing. @returns its descriptor @throws EEXIST if the name is taken */
export function createFile(root: string, file: string, mode: number): number {
  rejectSymlinks(root, dirname(file))
  return openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, mode)
}

/** Returns the names in a folder; an empty list if the folder does not exist. */
export async function listFolder(root: string, folder: string): Promise<string[]> {
  rejectSymlinks(root, folder)
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error.code === 'ENOTDIR' ? unusablePathError(folder, 'it is not a directory') : error
  })
}

/**
 * Renames a file within its folder. A file or link with the new name is replaced; the link is not followed.
 */
export async function moveFile(root: string, from: string, to: string): Promise<void> {
  rejectSymlinks(root, dirname(to))
  await retryWhileBusy(() => renameSync(from, to))
}

/** Removes a file, or a link but not its target; does nothing if there is no such file. */
export async function removeFile(root: string, file: string): Promise<void> {
  rejectSymlinks(root, dirname(file))
  await retryWhileBusy(() => unlink(file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/**
 * Creates a hard link in the same folder; a copy if the file system has no links. Returns false if `file`
 * exists.
 */
export async function linkFileIfAbsent(root: string, draft: string, file: string): Promise<boolean> {
  rejectSymlinks(root, dirname(file))
  const linkOrCopy = () =>
    link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error
      // FAT, exFAT and some network shares have no hard links. What they answer differs: EPERM, ENOTSUP,
      // ENOSYS, EISDIR on Windows (nodejs/node#65817). If there is another reason, copying fails, too.
      return copyFile(draft, file, constants.COPYFILE_EXCL)
    })
  try {
    await retryWhileBusy(linkOrCopy)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
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
