import { StringDecoder } from 'node:string_decoder'
import type { Entry } from 'yauzl'
import { maxUnpackedBytes } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'
import { trimAfterZip } from './zip-end.ts'

/** An archive that is open for reading; parts are unpacked on demand. */
export interface Zip {
  has(name: string): boolean
  /** Unpacks one part. @throws UnreadableError if there is no such part */
  streamPart(name: string): AsyncIterable<string>
  /** Returns the whole of one part, decoded as UTF-8. */
  readText(name: string): Promise<string>
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
  const zip = await fromBufferPromise(trimAfterZip(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)))
  const entries = new Map<string, Entry>()
  for await (const entry of zip.eachEntry()) {
    if (entries.size >= maxParts)
      throw new UnreadableError('too_complex', `it is an archive of more than ${maxParts} files`)
    entries.set(entry.fileName, entry)
  }
  let unpacked = 0
  async function* streamPart(name: string): AsyncGenerator<string> {
    const entry = entries.get(name)
    if (entry === undefined) throw new UnreadableError('malformed', `it has no ${name}`)
    if (entry.isEncrypted()) throw new UnreadableError('encrypted', 'it is protected by a password')
    const decoder = new StringDecoder('utf8')
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      unpacked += (chunk as Buffer).length
      if (unpacked > maxUnpackedBytes)
        throw new UnreadableError('too_large', `it unpacks to more than ${maxUnpackedBytes / 1e6} MB`)
      yield decoder.write(chunk as Buffer)
    }
    yield decoder.end()
  }
  return {
    has: (name) => entries.has(name),
    streamPart,
    async readText(name) {
      const texts: string[] = []
      for await (const text of streamPart(name)) texts.push(text)
      return texts.join('')
    },
  }
}
