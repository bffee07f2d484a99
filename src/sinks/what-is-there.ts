import type { Stats } from 'node:fs'
import { lstat, readFile, stat } from 'node:fs/promises'
import { cannotRead } from './disk-error.ts'

/**
 * What is there under this name, links followed; a link that leads nowhere is there too, and is somebody's. Undefined
 * where nothing is.
 * @throws RunError `io`
 */
export async function lookAt(file: string): Promise<Stats | undefined> {
  const found = await there(lstat, file)
  return found?.isSymbolicLink() ? ((await there(stat, file)) ?? found) : found
}

function there(look: (file: string) => Promise<Stats>, file: string): Promise<Stats | undefined> {
  return look(file).catch((error: NodeJS.ErrnoException) => {
    // A link that leads to itself leads nowhere either.
    if (error.code === 'ENOENT' || error.code === 'ELOOP') return undefined
    throw cannotRead(file, error)
  })
}

/** @throws RunError `io` */
export function contentOf(file: string): Promise<Buffer> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw cannotRead(file, error)
  })
}
