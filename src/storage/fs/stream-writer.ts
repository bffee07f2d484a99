import type { Writable } from 'node:stream'
import { ExitError } from '../../errors.ts'
import { toWriteError } from './disk-error.ts'

/** Writes to a stream, waiting until each piece is taken, so that a slow reader slows us down and a lost one is seen. */
export function createStreamWriter(stream: Writable, name: string): (text: string) => Promise<void> {
  // Without a listener a failed write would end the process with a stack trace; each write reports its own.
  stream.on('error', () => {})
  return (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error) => {
        if (error) reject(streamWriteError(name, error))
        else resolve()
      })
    })
}

/** The one line for what a stream did not take. */
export function streamWriteError(name: string, error: NodeJS.ErrnoException): ExitError {
  return error.code === 'EPIPE'
    ? new ExitError('brokenPipe', `the reader of ${name} closed it`)
    : toWriteError(`to ${name}`, error)
}
