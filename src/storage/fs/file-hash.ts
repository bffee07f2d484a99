import { createHash, hash } from 'node:crypto'
import { toReadError } from './disk-error.ts'
import { openForReading } from './no-follow-fs.ts'

/** Returns the SHA-256 of a text in UTF-8 with LF line ends, in hexadecimal. */
export function hashText(text: string): string {
  return hash('sha256', text.replaceAll('\r\n', '\n'))
}

/** Returns the hash that {@link hashFile} returns for a file with this content. */
export function hashBytes(content: Buffer): string {
  const text = content.toString('latin1')
  return hash(
    'sha256',
    text.includes('\r\n') ? Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1') : content,
  )
}

/**
 * Returns the SHA-256 of a file in an output folder, in hexadecimal, or undefined if the file does not exist. Line
 * ends count as LF, because git may check a summary out with CRLF. Reads the file in pieces, so it may be larger than
 * memory.
 * @throws ExitError `ioError`
 */
export async function hashFile(out: string, file: string): Promise<string | undefined> {
  try {
    const handle = await openForReading(out, file)
    if (handle === undefined) return undefined
    const digest = createHash('sha256')
    /** A carriage return at the end of a piece, whose line feed may begin the next one. */
    let pending = ''
    for await (const piece of handle.createReadStream({ encoding: 'latin1' })) {
      const text = `${pending}${piece}`
      pending = text.endsWith('\r') ? '\r' : ''
      digest.update(text.slice(0, text.length - pending.length).replaceAll('\r\n', '\n'), 'latin1')
    }
    return digest.update(pending).digest('hex')
  } catch (error) {
    throw toReadError(file, error as NodeJS.ErrnoException)
  }
}
