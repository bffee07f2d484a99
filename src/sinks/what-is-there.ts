import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { cannotRead } from './disk-error.ts'

/** What is there under this name; undefined where nothing is. @throws RunError `io` */
export function lookAt(file: string): Promise<Stats | undefined> {
  return stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw cannotRead(file, error)
  })
}

/** @throws RunError `io` */
export function contentOf(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw cannotRead(file, error)
  })
}
