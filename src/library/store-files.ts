import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { writeFileAtomic } from '../storage/fs/atomic-write.ts'
import { makeFolder, syncFolders } from '../storage/fs/create-folder.ts'
import { readWholeFile, removeFile } from '../storage/fs/no-follow-fs.ts'

/** Reads a value of a folder store. @throws ExitError or the system's error */
export async function readValue(root: string, file: string): Promise<string | undefined> {
  return (await readWholeFile(root, file))?.toString()
}

/** Writes a value that survives a crash. @throws ExitError or the system's error */
export async function writeValue(root: string, file: string, value: string): Promise<void> {
  await makeFolder(root)
  await writeFileAtomic(root, file, value, `${randomBytes(6).toString('hex')}-store`, 0o600)
  await syncFolders(root, [dirname(file)])
}

/** Removes a value, if it is there. @throws ExitError or the system's error */
export async function removeValue(root: string, file: string): Promise<void> {
  await removeFile(root, file)
}
