import { join, resolve } from 'node:path'
import { createLibraryRuntime } from '../runtime.ts'
import { createReadError } from './library-error.ts'
import type { Store } from './store.ts'

/**
 * Returns a store that keeps each value in a file below a folder, which is created when needed. Files are written
 * atomically and synced, readable only for their owner, and never reached through symbolic links in the folder.
 * @param folder the path of the folder
 * @throws TypeError if `folder` is not a path
 * @throws ClaudeBatchError of type `io_error` in its methods; the message names the file
 */
export function folderStore(folder: string): Store {
  if (typeof folder !== 'string' || folder === '' || folder.includes('\0'))
    throw new TypeError('folderStore: expected the path of a folder')
  const root = resolve(createLibraryRuntime().cwd, folder)
  const toFile = (key: string) => {
    if (!/^[a-z]+(\/[0-9a-z_-]+)*$/.test(key))
      throw new TypeError('folderStore: this key cannot be a file name')
    return join(root, `${key}.json`)
  }
  const access = async <T>(key: string, work: (file: string) => Promise<T>): Promise<T> => {
    const file = toFile(key)
    try {
      return await work(file)
    } catch (error) {
      throw createReadError('io_error', (error as Error).message)
    }
  }
  return {
    get: (key) =>
      access(key, async (file) => {
        const { readValue } = await import('./store-files.ts')
        return readValue(root, file)
      }),
    set: (key, value) =>
      access(key, async (file) => {
        const { writeValue } = await import('./store-files.ts')
        await writeValue(root, file, value)
      }),
    delete: (key) =>
      access(key, async (file) => {
        const { removeValue } = await import('./store-files.ts')
        await removeValue(root, file)
      }),
  }
}
