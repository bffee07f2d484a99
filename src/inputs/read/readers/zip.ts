import type { Entry } from 'yauzl'
import { createMarkupDecoder } from './decode-markup.ts'
import { maxUnpackedBytes } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'

/** An archive that is open for reading; parts are unpacked on demand. */
export interface Zip {
  has(name: string): boolean
  names(): Iterable<string>
  /**
   * Unpacks one part of markup, decoded as it declares, otherwise as UTF-8.
   * @throws UnreadableError if there is no such part
   */
  streamPart(name: string): AsyncIterable<string>
  /** Returns the bytes of one part. @throws UnreadableError if there is no such part */
  readBytes(name: string): Promise<Buffer>
}

/** Maximum number of parts; books have a few thousand. */
const maxParts = 20_000

/**
 * Opens a zip archive. All unpacked bytes are counted together as they are produced, so that a zip bomb fails
 * even if its index reports small sizes. Library: yauzl.
 * @throws UnreadableError for an archive that is encrypted, has too many parts, or unpacks to more than
 *   {@link maxUnpackedBytes}
 */
export async function openZip(bytes: Uint8Array): Promise<Zip> {
  const { fromBufferPromise } = await import('yauzl')
  const zip = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  const entries = new Map<string, Entry>()
  for await (const entry of zip.eachEntry()) {
    if (entries.size >= maxParts)
      throw new UnreadableError('too_complex', `it is an archive of more than ${maxParts} files`)
    entries.set(entry.fileName, entry)
  }
  let unpacked = 0
  async function* unpack(name: string): AsyncGenerator<Buffer> {
    const entry = entries.get(name)
    if (entry === undefined) throw new UnreadableError('malformed', `it has no ${name}`)
    if (entry.isEncrypted()) throw new UnreadableError('encrypted', 'it is protected by a password')
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      unpacked += (chunk as Buffer).length
      if (unpacked > maxUnpackedBytes)
        throw new UnreadableError('too_large', `it unpacks to more than ${maxUnpackedBytes / 1e6} MB`)
      yield chunk as Buffer
    }
  }
  return {
    has: (name) => entries.has(name),
    names: () => entries.keys(),
    async *streamPart(name) {
      const decoder = createMarkupDecoder()
      for await (const chunk of unpack(name)) yield decoder.write(chunk)
      yield decoder.end()
    },
    async readBytes(name) {
      const chunks: Buffer[] = []
      for await (const chunk of unpack(name)) chunks.push(chunk)
      return Buffer.concat(chunks)
    },
  }
}
