import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { setImmediate as nextEventLoopTurn } from 'node:timers/promises'

/** An open file. Its functions are synchronous, or return promises. */
export interface OpenFile {
  stat(): Stats | Promise<Stats>
  /** Reads from a position, or from where the last read ended; returns the number of bytes. */
  read(buffer: Buffer, offset: number, length: number, position?: number): number | Promise<number>
  close(): void | Promise<void>
}

/**
 * Returns a function that opens files for reading, without blocking on a pipe. Synchronous calls take a tenth of the CPU
 * time of asynchronous ones, so files are read with them as long as each call takes less than a few milliseconds, as on a
 * local disk. After a slower one, the next files are read asynchronously, so that the program can do other work while it
 * waits for a network or a spinning disk; see docs/decisions/0057-synchronous-reads.md.
 */
export function createFileOpener(): (file: string) => Promise<OpenFile> {
  let [opened, asyncLeft] = [0, 0]
  const timed = <Result>(call: () => Result): Result => {
    const start = performance.now()
    const result = call()
    if (performance.now() - start > slowCallMs) asyncLeft = filesPerProbe
    return result
  }
  return async (file) => {
    if (asyncLeft > 0) {
      asyncLeft--
      return toOpenFile(await open(file, readFlags))
    }
    // Signals and timers must be handled, however many files are read.
    if (++opened % filesPerTurn === 0) await nextEventLoopTurn()
    const descriptor = timed(() => openSync(file, readFlags))
    return {
      stat: () => fstatSync(descriptor),
      read: (buffer, offset, length, position = -1) =>
        timed(() => readSync(descriptor, buffer, offset, length, position)),
      close: () => closeSync(descriptor),
    }
  }
}

function toOpenFile(handle: FileHandle): OpenFile {
  return {
    stat: () => handle.stat(),
    read: async (buffer, offset, length, position = -1) =>
      (await handle.read(buffer, offset, length, position)).bytesRead,
    close: () => handle.close(),
  }
}

/** Windows has no flag to open pipes without blocking. */
const readFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

const slowCallMs = 3
/** How many files are read asynchronously after a slow call, before the next is read synchronously. */
const filesPerProbe = 200
const filesPerTurn = 64
