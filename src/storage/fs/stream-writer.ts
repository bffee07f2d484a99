import type { Writable } from 'node:stream'
import { ExitError } from '../../errors.ts'
import { toWriteError } from './disk-error.ts'

/**
 * Creates a function that writes to a stream and resolves when the stream has accepted the text. A slow
 * reader therefore slows the caller down, and a closed reader is an error.
 */
export function createStreamWriter(stream: Writable, name: string): (text: string) => Promise<void> {
  // Without a listener, a failed write would end the process with a stack trace. Each write reports its own
  // error.
  stream.on('error', () => {})
  return (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error) => {
        if (error) reject(streamWriteError(name, error))
        else resolve()
      })
    })
}

/**
 * Returns the ExitError for a failed write to a stream: `brokenPipe` if its reader closed it, or else
 * `ioError`.
 */
export function streamWriteError(name: string, error: NodeJS.ErrnoException): ExitError {
  return error.code === 'EPIPE'
    ? new ExitError('brokenPipe', `the reader of ${name} closed it`)
    : toWriteError(`to ${name}`, error)
}
