import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { access, chmod, constants, lstat, readlink, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import type { Writable } from 'node:stream'
import { stateFolder } from '../../core/document/output-path.ts'
import { ExitError, UsageError } from '../../errors.ts'

import { writeFileAtomic } from './atomic-write.ts'
import { makeFolder } from './create-folder.ts'
import { toWriteError } from './disk-error.ts'
import { findDescriptor, openWritableStream } from './named-stream.ts'
import { createStreamWriter } from './stream-writer.ts'

/** A file that a flag names for writing: `--report`, `--log`, `--digest`. */
export interface NamedFile {
  /** As the user gave it. */
  readonly name: string
  /** The same with its flag, for messages: `--report r.json`. */
  readonly label: string
  /** Absolute, symbolic links followed: what is written is the file that the user's link leads to. */
  readonly file: string
  /** What was there when the run began: a regular file, or nothing. */
  readonly stats: Stats | undefined
  /** Open, where it is a pipe, a device or a descriptor: written to as it is. */
  readonly stream: Writable | undefined
  /** Says why the regular file that is there may not be written; undefined where it may. */
  readonly checkOverwrite: OverwriteCheck
  /** Closes what was opened for it. */
  close(): void
}

/** Says why a regular file is not one that claude-batch wrote; undefined where it is, or is not there, or is empty. */
type OverwriteCheck = (file: string) => Promise<string | undefined>

export interface NamedFileOptions {
  readonly flag: string
  /** As the user gave it. */
  readonly name: string
  /** `append` writes to the file that is there, `replace` renames a new one over it. */
  readonly writeMode: 'append' | 'replace'
  readonly checkOverwrite: OverwriteCheck
}

/** Of the process. */
export interface ProcessStreams {
  readonly cwd: string
  readonly pid: number
  readonly stdout: Writable
  readonly stderr: Writable
  isRedirectTarget(file: Pick<Stats, 'dev' | 'ino'>): boolean
}

/**
 * Checks a file that a flag names for writing, without writing to it: claude-batch replaces nothing that it did not
 * write itself, and finds out before it has paid for anything. A pipe is opened.
 * @throws UsageError for a file that must not be written, with what is there; ExitError `ioError` for one that cannot be
 */
export async function inspectNamedFile(
  { flag, name, writeMode, checkOverwrite }: NamedFileOptions,
  streams: ProcessStreams,
): Promise<NamedFile> {
  const label = `${flag} ${name}`
  const fail = (reason: string): never => {
    throw new UsageError(`${label}: ${reason}`)
  }
  if (name === '-') fail('stdout is for the results; name a file, or /dev/stderr')
  try {
    const { path, stats } = await resolveLinks(resolve(streams.cwd, name))
    const descriptor = findDescriptor(path, streams)
    if (/[/\\]$/.test(name) || stats?.isDirectory()) fail('this is a folder; name a file')
    if (stats?.isBlockDevice()) fail('this is a disk; name a file')
    if (stats?.isSocket() && typeof descriptor !== 'object')
      fail('this is a socket; name a file, a pipe or /dev/stderr')
    if (descriptor !== undefined && stats === undefined) fail('no such descriptor is open')
    if (descriptor !== undefined || (stats !== undefined && !stats.isFile())) {
      const [stream, close] = openNamedStream(path, label, descriptor)
      return { name, label, file: path, stats: undefined, stream, checkOverwrite, close }
    }
    const file = await resolveFolderLinks(path)
    if (file.split(sep).includes(stateFolder))
      fail(`this lies in the state folder of an output folder, ${stateFolder}; name another file`)
    if (stats !== undefined && streams.isRedirectTarget(stats))
      fail('stdout or stderr is redirected to this file; name another one')
    if (stats !== undefined) await access(file, constants.W_OK)
    if (stats === undefined || writeMode === 'replace') await checkFolderWritable(dirname(file))
    const reason = await checkOverwrite(file)
    if (reason !== undefined) fail(`${reason}; name another file, or move this one away`)
    return { name, label, file, stats, stream: undefined, checkOverwrite, close() {} }
  } catch (error) {
    throw error instanceof UsageError || error instanceof ExitError
      ? error
      : toWriteError(resolve(streams.cwd, name), error as NodeJS.ErrnoException)
  }
}

/** @param descriptor our own stdout or stderr, which stay open */
function openNamedStream(
  path: string,
  label: string,
  descriptor: ReturnType<typeof findDescriptor>,
): [stream: Writable, close: () => void] {
  if (typeof descriptor === 'object') return [descriptor, () => {}]
  const stream = openWritableStream(path, label)
  return [stream, () => void stream.destroy()]
}

/**
 * Replaces the file, whole or not at all, with the folders it is in; or writes to the stream.
 * @param nonce makes the temporary name this run's own
 * @throws ExitError `ioError`, also where something else has taken the file's place since the run began
 */
export async function writeNamedFile(
  { file, label, stream, checkOverwrite }: NamedFile,
  text: string | Iterable<string>,
  nonce: string,
): Promise<void> {
  if (stream !== undefined) {
    const write = createNamedStreamWriter(stream, label)
    for (const piece of typeof text === 'string' ? [text] : text) await write(piece)
    return
  }
  const folder = dirname(file)
  const reason = await checkOverwrite(file)
  if (reason !== undefined) throw new ExitError('ioError', `${label}: ${reason}; it was not replaced`)
  const mode = await stat(file).then(
    (stats) => stats.mode,
    () => undefined,
  )
  await makeFolder(folder).catch((error: NodeJS.ErrnoException) => {
    throw toWriteError(file, error)
  })
  await writeFileAtomic(folder, file, text, nonce)
  if (mode !== undefined) await chmod(file, mode).catch(() => {})
}

/** Writes to a stream that a flag names. A reader that left is an error of its own, and not the reader of stdout. */
export function createNamedStreamWriter(stream: Writable, label: string): (text: string) => Promise<void> {
  const write = createStreamWriter(stream, label)
  return (text) =>
    write(text).catch((error: ExitError) => {
      throw error.exit === 'brokenPipe'
        ? new ExitError('ioError', `${label}: its reader closed it before everything was written`)
        : error
    })
}

const maxLinks = 40

/** Where links lead, as far as that is in the file system; a descriptor is not a link, whatever it looks like. */
async function resolveLinks(
  path: string,
): Promise<{ readonly path: string; readonly stats?: Stats | undefined }> {
  for (let current = path, links = 0; ; links++) {
    if (findDescriptor(current) !== undefined)
      return { path: current, stats: await statIfPresent(stat, current) }
    const stats = await statIfPresent(lstat, current)
    if (!stats?.isSymbolicLink()) return { path: current, stats }
    if (links === maxLinks) throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' })
    current = resolve(await realpath(dirname(current)), await readlink(current))
  }
}

async function statIfPresent(
  statPath: (path: string) => Promise<Stats>,
  path: string,
): Promise<Stats | undefined> {
  return statPath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** The same file by a path without links: in folders that are there, and may be followed by some that are not yet. */
async function resolveFolderLinks(path: string): Promise<string> {
  const folder = dirname(path)
  if (folder === path) return path
  const real = await realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return resolveFolderLinks(folder)
    throw error
  })
  return join(real, basename(path))
}

/** Makes and removes a file in a folder, or in the nearest one above where it has to be made itself. @throws the system's error */
async function checkFolderWritable(folder: string): Promise<void> {
  const stats = await statIfPresent(stat, folder)
  if (stats === undefined && dirname(folder) !== folder) return checkFolderWritable(dirname(folder))
  if (!stats?.isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
  const probe = join(folder, `.claude-batch-${randomBytes(6).toString('hex')}-probe.tmp`)
  try {
    await writeFile(probe, '', { flag: 'wx' })
  } finally {
    await rm(probe, { force: true })
  }
}
