import { type FileHandle, open } from 'node:fs/promises'
import { RunError } from '../../errors.ts'
import { cannotWrite } from './disk-error.ts'
import { openOwn } from './own-file.ts'

/** A file that only grows, a line at a time. Whatever cannot be done with it is a RunError `io`. */
export interface AppendFile {
  /**
   * Resolves when the line is in the file. What is appended while a write is under way goes out with the next one.
   * @throws where the line may be there in part, which no later line is welded to
   */
  append(line: string): Promise<void>
  /** Onto the disk, against a loss of power. @throws where that is for nothing, as the file was removed meanwhile */
  sync(): Promise<void>
  /** False once somebody has removed it: what is in it is gone with us. */
  isThere(): Promise<boolean>
  /** Empties it; nothing may be under way. */
  clear(): Promise<void>
  close(): Promise<void>
}

export interface AppendOptions {
  /** `append` resolves only when the line would survive a loss of power. */
  readonly synced?: boolean
  readonly mode?: number
  /** The output folder it is in, where it is in one: then it is opened as untrusted files are. */
  readonly root?: string
}

/** @throws RunError `io` */
export async function openAppendFile(
  file: string,
  { synced = false, mode = 0o666, root }: AppendOptions = {},
): Promise<AppendFile> {
  const failed = (error: NodeJS.ErrnoException) => {
    throw cannotWrite(file, error)
  }
  const opening = root === undefined ? open(file, 'a+', mode) : openOwn(root, file, mode)
  const handle = await opening.catch(failed)
  let torn = await endsTorn(handle).catch(failed)
  let waiting = ''
  let last: Promise<unknown> = Promise.resolve()
  let next: Promise<void> | undefined

  const isThere = () =>
    handle.stat().then(
      ({ nlink }) => nlink > 0,
      () => false,
    )
  const flush = async () => {
    const text = torn ? `\n${waiting}` : waiting
    waiting = ''
    next = undefined
    torn = true
    await handle.appendFile(text)
    if (synced) await handle.datasync()
    torn = false
  }
  return {
    append(line) {
      waiting += `${line}\n`
      if (next === undefined) {
        next = last.then(flush).catch(failed)
        last = next.catch(() => {})
      }
      return next
    },
    async sync() {
      await handle.datasync().catch(failed)
      if (!(await isThere())) throw new RunError('io', `${file} was removed while it was written`)
    },
    isThere,
    clear: () => handle.truncate(0).catch(failed),
    async close() {
      await last
      await handle.close().catch(failed)
    },
  }
}

/** A line that a crash or a full disk left without its end. */
async function endsTorn(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat()
  const end = Buffer.alloc(1)
  return size > 0 && (await handle.read(end, 0, 1, size - 1)).bytesRead === 1 && end[0] !== 0x0a
}
