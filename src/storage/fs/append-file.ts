import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as nextEventLoopTurn } from 'node:timers/promises'
import { ExitError } from '../../errors.ts'
import { syncFolder } from './create-folder.ts'
import { syncFile, writeWhole } from './descriptor.ts'
import { toWriteError } from './disk-error.ts'
import { openUnsharedFile } from './unshared-file.ts'

/** A file to which lines are appended. Every failed operation throws an ExitError `ioError`. */
export interface AppendFile {
  /**
   * Appends a line; resolves when the line is in the file. Lines appended during a write, or in the same turn of
   * the event loop, are written together.
   * @throws if the line may be incomplete; the next line then starts with a line break
   */
  append(line: string): Promise<void>
  /**
   * Flushes the file to disk, and its name if it is new, so that it survives a power failure.
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
  /** Whether `append` flushes each write to disk before it resolves, and the name of a new file. */
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
  const { size, endsMidLine: startsMidLine } = await inspectEnd(handle).catch(throwWriteError)
  let endsMidLine = startsMidLine
  /** Whether the file keeps its name if the power fails. An empty file may be new. */
  let isNameSynced = size > 0
  let pendingText = ''
  let lastWrite: Promise<unknown> = Promise.resolve()
  let nextWrite: Promise<void> | undefined

  const isPresent = () =>
    handle.stat().then(
      ({ nlink }) => nlink > 0,
      () => false,
    )
  const syncData = async () => {
    await syncFile(handle.fd)
    if (!isNameSynced) await syncFolder(dirname(file))
    isNameSynced = true
  }
  const flush = async () => {
    const text = endsMidLine ? `\n${pendingText}` : pendingText
    pendingText = ''
    nextWrite = undefined
    endsMidLine = true
    writeWhole(handle.fd, text)
    if (durable) await syncData()
    endsMidLine = false
  }
  return {
    append(line) {
      pendingText += `${line}\n`
      if (nextWrite === undefined) {
        nextWrite = lastWrite.then(nextEventLoopTurn).then(flush).catch(throwWriteError)
        lastWrite = nextWrite.catch(() => {})
      }
      return nextWrite
    },
    async sync() {
      await syncData().catch(throwWriteError)
      if (!(await isPresent())) throw new ExitError('ioError', `${file} was removed while it was written`)
    },
    isPresent,
    async close() {
      await lastWrite
      await handle.close().catch(throwWriteError)
    },
  }
}

/** Returns the size, and whether the last line has no line break, which a crash or a full disk leaves behind. */
async function inspectEnd(handle: FileHandle): Promise<{ size: number; endsMidLine: boolean }> {
  const { size } = await handle.stat()
  const end = Buffer.alloc(1)
  const endsMidLine = size > 0 && (await handle.read(end, 0, 1, size - 1)).bytesRead === 1 && end[0] !== 0x0a
  return { size, endsMidLine }
}
