import { type FileHandle, open } from 'node:fs/promises'
import { ExitError } from '../../errors.ts'
import { toWriteError } from './disk-error.ts'
import { openUnsharedFile } from './unshared-file.ts'

/** A file to which lines are appended. Every failed operation throws an ExitError `ioError`. */
export interface AppendFile {
  /**
   * Appends a line; resolves when the line is in the file. Lines appended during a write are written together
   * next.
   * @throws if the line may be incomplete; the next line then starts with a line break
   */
  append(line: string): Promise<void>
  /**
   * Flushes the file to disk, so that it survives a power failure.
   * @throws if the file was deleted meanwhile
   */
  sync(): Promise<void>
  /**
   * Whether the file still has a name. If it was deleted, its content is lost when this process closes it.
   */
  isPresent(): Promise<boolean>
  close(): Promise<void>
}

export interface AppendOptions {
  /** Whether `append` flushes each write to disk before it resolves. */
  readonly durable?: boolean
  readonly mode?: number
  /**
   * The output folder that contains the file, if any. Such a file is untrusted, so symbolic links are
   * refused.
   */
  readonly root?: string
}

/** Opens a file for appending; creates it if it does not exist. @throws ExitError `ioError` */
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
    async close() {
      await lastWrite
      await handle.close().catch(throwWriteError)
    },
  }
}

/** Whether the file ends in a line without a line break, which a crash or a full disk leaves behind. */
async function hasPartialLastLine(handle: FileHandle): Promise<boolean> {
  const { size } = await handle.stat()
  const end = Buffer.alloc(1)
  return size > 0 && (await handle.read(end, 0, 1, size - 1)).bytesRead === 1 && end[0] !== 0x0a
}
