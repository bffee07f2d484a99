import { createHash, hash } from 'node:crypto'
import { cannotRead } from './disk-error.ts'
import { openToRead } from './output-files.ts'

/** The SHA-256 of a text in UTF-8, in hexadecimal. */
export function sha256(text: string): string {
  return hash('sha256', text)
}

/**
 * The SHA-256 of a file in an output folder, however long it is, in hexadecimal; undefined where there is none.
 * @throws RunError `io`
 */
export async function sha256Of(out: string, file: string): Promise<string | undefined> {
  try {
    const handle = await openToRead(out, file)
    if (handle === undefined) return undefined
    const digest = createHash('sha256')
    for await (const piece of handle.createReadStream()) digest.update(piece as Uint8Array)
    return digest.digest('hex')
  } catch (error) {
    throw cannotRead(file, error as NodeJS.ErrnoException)
  }
}
