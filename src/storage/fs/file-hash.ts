import { createHash, hash } from 'node:crypto'
import { toReadError } from './disk-error.ts'
import { openForReading } from './no-follow-fs.ts'

/** Returns the SHA-256 of a text in UTF-8, in hexadecimal. */
export function hashText(text: string): string {
  return hash('sha256', text)
}

/**
 * Returns the SHA-256 of a file in an output folder, in hexadecimal, or undefined if the file does not exist.
 * Reads the file in pieces, so it may be larger than memory.
 * @throws ExitError `ioError`
 */
export async function hashFile(out: string, file: string): Promise<string | undefined> {
  try {
    const handle = await openForReading(out, file)
    if (handle === undefined) return undefined
    const digest = createHash('sha256')
    for await (const piece of handle.createReadStream()) digest.update(piece as Uint8Array)
    return digest.digest('hex')
  } catch (error) {
    throw toReadError(file, error as NodeJS.ErrnoException)
  }
}
