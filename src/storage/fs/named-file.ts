import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { access, chmod, constants, lstat, readlink, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import type { Writable } from 'node:stream'
import { stateFolder } from '../../core/document/output-path.ts'
import { describeForbiddenName } from '../../core/document/windows-names.ts'
import { ExitError, UsageError } from '../../errors.ts'

import { type Content, writeFileAtomic } from './atomic-write.ts'
import { makeFolder } from './create-folder.ts'
import { toWriteError } from './disk-error.ts'
import { findDescriptor, openWritableStream } from './named-stream.ts'
import { createStreamWriter } from './stream-writer.ts'

/** An output file given by a flag: `--report`, `--log`, `--digest`, `export --output`. */
export interface NamedFile {
  /** The path as the user typed it. */
  readonly name: string
  /** The flag and the name, for messages: `--report r.json`. */
  readonly label: string
  /** The absolute path of the target, with symbolic links resolved. */
  readonly file: string
  /** The metadata of the regular file that existed when the run started; undefined if there was no file. */
  readonly stats: Stats | undefined
  /** The open stream if the target is a pipe, a device or a descriptor; undefined for a regular file. */
  readonly stream: Writable | undefined
  readonly checkOverwrite: OverwriteCheck
  /** Closes the stream, unless it is this process's stdout or stderr. */
  close(): void
}

/**
 * Returns the reason not to overwrite a regular file: claude-batch did not write it. Returns undefined if it
 * did, or if the file is empty or does not exist.
 */
type OverwriteCheck = (file: string) => Promise<string | undefined>

export interface NamedFileOptions {
  readonly flag: string
  /** The path as the user typed it. */
  readonly name: string
  /** `append` writes to the end of an existing file; `replace` renames a new file over it. */
  readonly writeMode: 'append' | 'replace'
  /** Whether `-` may name stdout, because the command prints no results there. */
  readonly isStdoutFree?: boolean
  readonly checkOverwrite: OverwriteCheck
}

/** The facts about the process that {@link inspectNamedFile} needs. */
export interface ProcessStreams {
  readonly cwd: string
  readonly pid: number
  readonly stdout: Writable
  readonly stderr: Writable
  isRedirectTarget(file: Pick<Stats, 'dev' | 'ino'>): boolean
  getStdoutKind(): string
}

/**
 * Checks an output file given by a flag before any request is paid for. claude-batch replaces only files that
 * it wrote itself. Leaves an existing file unchanged; opens a pipe, a device or a descriptor.
 * @throws UsageError that names the kind of target, if claude-batch must not write to it; ExitError `ioError`
 * if it cannot be written
 */
export async function inspectNamedFile(
  { flag, name, writeMode, isStdoutFree = false, checkOverwrite }: NamedFileOptions,
  streams: ProcessStreams,
): Promise<NamedFile> {
  const label = `${flag} ${name}`
  const fail = (reason: string): never => {
    throw new UsageError(`${label}: ${reason}`)
  }
  if (name === '-') {
    if (!isStdoutFree) fail('stdout is for the results; name a file, or /dev/stderr')
    checkStdoutOpen(label, streams)
    return { name, label, file: name, stats: undefined, stream: streams.stdout, checkOverwrite, close() {} }
  }
  // On Windows, a path such as /dev/stderr would become one on the current drive.
  const namedPath = findDescriptor(name) === undefined ? resolve(streams.cwd, name) : name
  const forbiddenReason = describeForbiddenName(namedPath)
  if (forbiddenReason !== undefined) fail(forbiddenReason)
  try {
    const { path, stats } = await resolveLinks(namedPath)
    const descriptor = findDescriptor(path, streams)
    if (/[/\\]$/.test(name) || stats?.isDirectory()) fail('this is a folder; name a file')
    if (stats?.isBlockDevice()) fail('this is a disk; name a file')
    if (stats?.isSocket() && typeof descriptor !== 'object')
      fail('this is a socket; name a file, a pipe or /dev/stderr')
    if (descriptor === 'other' && stats === undefined) fail('no such descriptor is open')
    if (descriptor !== undefined || (stats !== undefined && !stats.isFile())) {
      const [stream, close] = openNamedStream(path, label, descriptor)
      if (stream === streams.stdout) checkStdoutOpen(label, streams)
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

/** @throws ExitError `ioError` if the process was started without a stdout */
function checkStdoutOpen(label: string, { getStdoutKind }: Pick<ProcessStreams, 'getStdoutKind'>): void {
  if (getStdoutKind() === 'closed')
    throw new ExitError('ioError', `${label}: stdout is closed; name a file, or /dev/stderr`)
}

/**
 * Returns the stream of a pipe, a device or a descriptor, and a function that closes it.
 * @param descriptor this process's stdout or stderr, which stay open
 */
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
 * Replaces the file atomically and creates its folders; or writes to the stream. If `-` named stdout and its reader
 * has closed it, the error is a `brokenPipe`.
 * @param nonce makes the temporary file's name unique to this run
 * @throws ExitError `ioError`, also if a file that claude-batch did not write has replaced it since the run
 *   started
 */
export async function writeNamedFile(
  { name, file, label, stream, checkOverwrite }: NamedFile,
  text: Content<string>,
  nonce: string,
): Promise<void> {
  if (stream !== undefined) {
    const write = name === '-' ? createStreamWriter(stream, 'stdout') : createNamedStreamWriter(stream, label)
    for await (const piece of typeof text === 'string' ? [text] : text) await write(piece)
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

/**
 * Creates a writer to a stream given by a flag. A closed reader is an `ioError`; `brokenPipe` is for stdout
 * only.
 */
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

/**
 * Follows symbolic links. Paths like `/dev/fd/1` look like links on Linux, but are kept, because they are
 * descriptors.
 */
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

/** Returns the same path with symbolic links in its folders resolved. Missing folders at the end are kept. */
async function resolveFolderLinks(path: string): Promise<string> {
  const folder = dirname(path)
  if (folder === path) return path
  const real = await realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return resolveFolderLinks(folder)
    throw error
  })
  return join(real, basename(path))
}

/**
 * Checks that a file can be created in a folder, by creating and removing one. Checks the nearest existing
 * parent if the folder does not exist yet.
 * @throws the system's error
 */
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
