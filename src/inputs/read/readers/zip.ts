import { StringDecoder } from 'node:string_decoder'
import type { Entry } from 'yauzl'
import { largestUnpacked } from './limits.ts'
import { Unreadable } from './unreadable.ts'

/** An archive that is open for reading; only what is asked for is unpacked. */
export interface Zip {
  has(name: string): boolean
  /** @throws Unreadable where there is no such part */
  parts(name: string): AsyncIterable<string>
  /** The whole of one part, as UTF-8. */
  text(name: string): Promise<string>
}

/** Parts. Books have a few thousand. */
const mostParts = 20_000

/**
 * Opens a zip archive. All that is unpacked of it is counted as it comes out, together, so that an archive can be
 * no bomb, whatever its index says. Library: yauzl.
 * @throws Unreadable for one that is broken, protected, or unpacks to more than {@link largestUnpacked}
 */
export async function openZip(bytes: Uint8Array): Promise<Zip> {
  const { fromBufferPromise } = await import('yauzl')
  const zip = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  const entries = new Map<string, Entry>()
  for await (const entry of zip.eachEntry()) {
    if (entries.size >= mostParts)
      throw new Unreadable('too_complex', `it is an archive of more than ${mostParts} files`)
    entries.set(entry.fileName, entry)
  }
  let unpacked = 0
  async function* parts(name: string): AsyncGenerator<string> {
    const entry = entries.get(name)
    if (entry === undefined) throw new Unreadable('malformed', `it has no ${name}`)
    if (entry.isEncrypted()) throw new Unreadable('encrypted', 'it is protected by a password')
    const decoder = new StringDecoder('utf8')
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      unpacked += (chunk as Buffer).length
      if (unpacked > largestUnpacked)
        throw new Unreadable('too_large', `it unpacks to more than ${largestUnpacked / 1e6} MB`)
      yield decoder.write(chunk as Buffer)
    }
    yield decoder.end()
  }
  return {
    has: (name) => entries.has(name),
    parts,
    async text(name) {
      const texts: string[] = []
      for await (const text of parts(name)) texts.push(text)
      return texts.join('')
    },
  }
}
