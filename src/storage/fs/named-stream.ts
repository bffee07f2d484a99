import { constants, createWriteStream, fstatSync, openSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { isatty, WriteStream } from 'node:tty'
import { UsageError } from '../../errors.ts'

/**
 * Returns the stream of a descriptor path such as `/dev/stdout` or `/proc/self/fd/1`: this process's stdout
 * or stderr, or `other`. Returns undefined for any other path. Such a path must not be resolved, because it
 * leads to a file that another program writes and that must not be replaced.
 */
export function findDescriptor(
  path: string,
  ownStreams?: { readonly pid: number; readonly stdout: Writable; readonly stderr: Writable },
): Writable | 'other' | undefined {
  const standardName = /^\/dev\/(stdout|stderr)$/.exec(path)?.[1]
  const [, process, number] = /^\/(?:dev|proc\/(self|thread-self|\d+))\/fd\/(\d+)$/.exec(path) ?? []
  if (standardName === undefined && number === undefined) return undefined
  if (ownStreams === undefined || (Number(process) >= 0 && Number(process) !== ownStreams.pid)) return 'other'
  if (standardName === 'stdout' || number === '1') return ownStreams.stdout
  if (standardName === 'stderr' || number === '2') return ownStreams.stderr
  return 'other'
}

/**
 * Opens a pipe, a device or a descriptor for appending. Does not block: a pipe without a reader is an error.
 * @throws UsageError; the system's error
 */
export function openWritableStream(path: string, label: string): Writable {
  const descriptor = openDescriptor(path, label)
  const stream: Writable = isatty(descriptor)
    ? new WriteStream(descriptor)
    : fstatSync(descriptor).isFIFO()
      ? new Socket({ fd: descriptor, readable: false, writable: true })
      : createWriteStream('', { fd: descriptor })
  // Each write reports its own errors.
  stream.on('error', () => {})
  return stream
}

function openDescriptor(path: string, label: string): number {
  const { O_WRONLY, O_APPEND, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants
  try {
    return openSync(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
    throw new UsageError(
      statSync(path).isFIFO()
        ? `${label}: the pipe has no reader; start the reader first`
        : `${label}: this device cannot be opened; name a file`,
    )
  }
}
