import { type FileHandle, open } from 'node:fs/promises'
import { ExitError } from '../../errors.ts'
import { toWriteError } from './disk-error.ts'
import { openUnsharedFile } from './unshared-file.ts'

/** A file that only grows, a line at a time. Whatever cannot be done with it is a ExitError `ioError`. */
export interface AppendFile {
  /**
   * Resolves when the line is in the file. What is appended while a write is under way goes out with the next one.
   * @throws where the line may be there in part, which no later line is welded to
   */
  append(line: string): Promise<void>
  /** Onto the disk, against a loss of power. @throws where that is for nothing, as the file was removed meanwhile */
  sync(): Promise<void>
  /** False once somebody has removed it: what is in it is gone with us. */
  isPresent(): Promise<boolean>
  /** Empties it; nothing may be under way. */
  clear(): Promise<void>
  close(): Promise<void>
}

export interface AppendOptions {
  /** `append` resolves only when the line would survive a loss of power. */
  readonly durable?: boolean
  readonly mode?: number
  /** The output folder it is in, where it is in one: then it is opened as untrusted files are. */
  readonly root?: string
}

/** @throws ExitError `ioError` */
export async function openAppendFile(
  file: string,
  { durable = false, mode = 0o666, root }: AppendOptions = {},
): Promise<AppendFile> {
  const throwWriteError = (error: NodeJS.ErrnoException) => {
    throw toWriteError(file, error)
  }
  const opening = root === undefined ? open(file, 'a+', mode) : openUnsharedFile(root, file, mode)
  const handle = await opening.catch(throwWriteError)
  let endsMidLine = await hasPartialLastLine(handle).catch(throwWriteError)
  let pendingText = ''
  let lastWrite: Promise<unknown> = Promise.resolve()
  let nextWrite: Promise<void> | undefined

  const isPresent = () =>
    handle.stat().then(
      ({ nlink }) => nlink > 0,
      () => false,
    )
  const flush = async () => {
    const text = endsMidLine ? `\n${pendingText}` : pendingText
    pendingText = ''
    nextWrite = undefined
    endsMidLine = true
    await handle.appendFile(text)
    if (durable) await handle.datasync()
    endsMidLine = false
  }
  return {
    append(line) {
      pendingText += `${line}\n`
      if (nextWrite === undefined) {
        nextWrite = lastWrite.then(flush).catch(throwWriteError)
        lastWrite = nextWrite.catch(() => {})
      }
      return nextWrite
    },
    async sync() {
      await handle.datasync().catch(throwWriteError)
      if (!(await isPresent())) throw new ExitError('ioError', `${file} was removed while it was written`)
    },
    isPresent,
    clear: () => handle.truncate(0).catch(throwWriteError),
    async close() {
      await lastWrite
      await handle.close().catch(throwWriteError)
    },
  }
}

/** A line that a crash or a full disk left without its end. */
async function hasPartialLastLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat()
  const end = Buffer.alloc(1)
  return size > 0 && (await handle.read(end, 0, 1, size - 1)).bytesRead === 1 && end[0] !== 0x0a
}
