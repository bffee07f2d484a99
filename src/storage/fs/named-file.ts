import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { access, chmod, constants, lstat, readlink, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import type { Writable } from 'node:stream'
import { RunError, UsageError } from '../../errors.ts'
import { memoryFolder } from '../output-folder.ts'
import { writeWhole } from './atomic-write.ts'
import { cannotWrite } from './disk-error.ts'
import { descriptorOf, openStream } from './named-stream.ts'
import { makeFolder } from './output-directories.ts'
import { streamWriter } from './stream-writer.ts'

/** A file that a flag names for writing: `--report`, `--log`, `--digest`. */
export interface NamedFile {
  /** As the user gave it. */
  readonly name: string
  /** The same with its flag, for messages: `--report r.json`. */
  readonly shown: string
  /** Absolute, symbolic links followed: what is written is the file that the user's link leads to. */
  readonly file: string
  /** What was there when the run began: a regular file, or nothing. */
  readonly stats: Stats | undefined
  /** Open, where it is a pipe, a device or a descriptor: written to as it is. */
  readonly stream: Writable | undefined
  /** Says why the regular file that is there may not be written; undefined where it may. */
  readonly objection: Objection
  /** Closes what was opened for it. */
  close(): void
}

/** Says why a regular file is not one that claude-batch wrote; undefined where it is, or is not there, or is empty. */
type Objection = (file: string) => Promise<string | undefined>

export interface NamedFileOptions {
  readonly flag: string
  /** As the user gave it. */
  readonly name: string
  /** `append` writes to the file that is there, `replace` renames a new one over it. */
  readonly how: 'append' | 'replace'
  readonly objection: Objection
}

/** Of the process. */
export interface Surroundings {
  readonly cwd: string
  readonly pid: number
  readonly stdout: Writable
  readonly stderr: Writable
  isOutput(file: Pick<Stats, 'dev' | 'ino'>): boolean
}

/**
 * Checks a file that a flag names for writing, without writing to it: claude-batch replaces nothing that it did not
 * write itself, and finds out before it has paid for anything. A pipe is opened.
 * @throws UsageError for a file that must not be written, with what is there; RunError `io` for one that cannot be
 */
export async function inspectNamedFile(
  { flag, name, how, objection }: NamedFileOptions,
  surroundings: Surroundings,
): Promise<NamedFile> {
  const shown = `${flag} ${name}`
  const fail = (why: string): never => {
    throw new UsageError(`${shown}: ${why}`)
  }
  if (name === '-') fail('stdout is for the results; name a file, or /dev/stderr')
  try {
    const { path, stats } = await followed(resolve(surroundings.cwd, name))
    const descriptor = descriptorOf(path, surroundings)
    if (/[/\\]$/.test(name) || stats?.isDirectory()) fail('this is a folder; name a file')
    if (stats?.isBlockDevice()) fail('this is a disk; name a file')
    if (stats?.isSocket() && typeof descriptor !== 'object')
      fail('this is a socket; name a file, a pipe or /dev/stderr')
    if (descriptor !== undefined && stats === undefined) fail('no such descriptor is open')
    if (descriptor !== undefined || (stats !== undefined && !stats.isFile())) {
      const [stream, close] = streamTo(path, shown, descriptor)
      return { name, shown, file: path, stats: undefined, stream, objection, close }
    }
    const file = await placeOf(path)
    if (file.split(sep).includes(memoryFolder))
      fail(`this lies in the state folder of an output folder, ${memoryFolder}; name another file`)
    if (stats !== undefined && surroundings.isOutput(stats))
      fail('stdout or stderr is redirected to this file; name another one')
    if (stats !== undefined) await access(file, constants.W_OK)
    if (stats === undefined || how === 'replace') await checkFolder(dirname(file))
    const why = await objection(file)
    if (why !== undefined) fail(`${why}; name another file, or move this one away`)
    return { name, shown, file, stats, stream: undefined, objection, close() {} }
  } catch (error) {
    throw error instanceof UsageError || error instanceof RunError
      ? error
      : cannotWrite(resolve(surroundings.cwd, name), error as NodeJS.ErrnoException)
  }
}

/** @param descriptor our own stdout or stderr, which stay open */
function streamTo(
  path: string,
  shown: string,
  descriptor: ReturnType<typeof descriptorOf>,
): [stream: Writable, close: () => void] {
  if (typeof descriptor === 'object') return [descriptor, () => {}]
  const stream = openStream(path, shown)
  return [stream, () => void stream.destroy()]
}

/**
 * Replaces the file, whole or not at all, with the folders it is in; or writes to the stream.
 * @param nonce makes the temporary name this run's own
 * @throws RunError `io`, also where something else has taken the file's place since the run began
 */
export async function writeNamedFile(
  { file, shown, stream, objection }: NamedFile,
  text: string | Iterable<string>,
  nonce: string,
): Promise<void> {
  if (stream !== undefined) {
    const write = namedStreamWriter(stream, shown)
    for (const piece of typeof text === 'string' ? [text] : text) await write(piece)
    return
  }
  const folder = dirname(file)
  const why = await objection(file)
  if (why !== undefined) throw new RunError('io', `${shown}: ${why}; it was not replaced`)
  const mode = await stat(file).then(
    (stats) => stats.mode,
    () => undefined,
  )
  await makeFolder(folder).catch((error: NodeJS.ErrnoException) => {
    throw cannotWrite(file, error)
  })
  await writeWhole(folder, file, text, nonce)
  if (mode !== undefined) await chmod(file, mode).catch(() => {})
}

/** Writes to a stream that a flag names. A reader that left is an error of its own, and not the reader of stdout. */
export function namedStreamWriter(stream: Writable, shown: string): (text: string) => Promise<void> {
  const write = streamWriter(stream, shown)
  return (text) =>
    write(text).catch((error: RunError) => {
      throw error.exit === 'readerLeft'
        ? new RunError('io', `${shown}: its reader left before everything was written`)
        : error
    })
}

const mostLinks = 40

/** Where links lead, as far as that is in the file system; a descriptor is not a link, whatever it looks like. */
async function followed(
  path: string,
): Promise<{ readonly path: string; readonly stats?: Stats | undefined }> {
  for (let at = path, links = 0; ; links++) {
    if (descriptorOf(at) !== undefined) return { path: at, stats: await present(stat, at) }
    const stats = await present(lstat, at)
    if (!stats?.isSymbolicLink()) return { path: at, stats }
    if (links === mostLinks) throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' })
    at = resolve(await realpath(dirname(at)), await readlink(at))
  }
}

async function present(look: (path: string) => Promise<Stats>, path: string): Promise<Stats | undefined> {
  return look(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}

/** The same file by a path without links: in folders that are there, and may be followed by some that are not yet. */
async function placeOf(path: string): Promise<string> {
  const folder = dirname(path)
  if (folder === path) return path
  const real = await realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return placeOf(folder)
    throw error
  })
  return join(real, basename(path))
}

/** Makes and removes a file in a folder, or in the nearest one above where it has to be made itself. @throws the system's error */
async function checkFolder(folder: string): Promise<void> {
  const stats = await present(stat, folder)
  if (stats === undefined && dirname(folder) !== folder) return checkFolder(dirname(folder))
  if (!stats?.isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' })
  const probe = join(folder, `.claude-batch-${randomBytes(6).toString('hex')}-probe.tmp`)
  try {
    await writeFile(probe, '', { flag: 'wx' })
  } finally {
    await rm(probe, { force: true })
  }
}
