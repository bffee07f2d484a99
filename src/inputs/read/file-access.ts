import { close, closeSync, fstat, fstatSync, open, openSync, read, readSync, type Stats } from 'node:fs'

/** Functions that read a file, all synchronous or all asynchronous. */
export interface FileAccess {
  open(file: string, flags: number): number | Promise<number>
  stat(descriptor: number): Stats | Promise<Stats>
  /** Reads up to the length of `to`. @param position the current one if null @returns the number of bytes */
  read(descriptor: number, to: Buffer, position: number | null): number | Promise<number>
  close(descriptor: number): void | Promise<void>
}

const syncAccess: FileAccess = {
  open: openSync,
  stat: fstatSync,
  read: (descriptor, to, position) => readSync(descriptor, to, 0, to.length, position),
  close: closeSync,
}

const asyncAccess: FileAccess = {
  open: (file, flags) => toPromise((done) => open(file, flags, done)),
  stat: (descriptor) => toPromise((done) => fstat(descriptor, done)),
  read: (descriptor, to, position) => toPromise((done) => read(descriptor, to, 0, to.length, position, done)),
  close: (descriptor) => toPromise((done) => close(descriptor, done)),
}

/** Longer than any local disk takes for a small file. */
const slowMs = 20

/** Files to read asynchronously after a slow one. */
const asyncFiles = 64

/**
 * Returns a function that reads a file with the faster access: synchronously, at a fraction of the CPU time, unless the
 * disk is slow. A network or a cloud drive may take seconds for a file, and nothing else happens meanwhile; so after one
 * slow file, the next ones are read asynchronously.
 */
export function createFileAccess(
  now: () => number = () => performance.now(),
): <T>(work: (access: FileAccess) => Promise<T>) => Promise<T> {
  let remainingAsync = 0
  return async (work) => {
    if (remainingAsync > 0) {
      remainingAsync--
      return work(asyncAccess)
    }
    const start = now()
    try {
      return await work(syncAccess)
    } finally {
      if (now() - start > slowMs) remainingAsync = asyncFiles
    }
  }
}

function toPromise<T>(
  call: (done: (error: Error | null | undefined, result?: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result as T)))
  })
}
