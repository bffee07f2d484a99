import { posix } from 'node:path'
import { decodeMarkup } from '../decode-markup.ts'
import { extractWebArchiveText } from '../email.ts'
import { extractHtmlText } from '../html-reader.ts'
import type { Relation } from '../office-relations.ts'
import { checkTextLength } from '../reader-limits.ts'
import type { Zip } from '../zip.ts'

/**
 * Returns the texts of the documents that a Word document embeds as part of its text (`altChunk`), by
 * relationship id. Those in a format that is not read are shown by name.
 */
export async function readChunks(
  zip: Zip,
  relations: ReadonlyMap<string, Relation>,
  readWordFile: (bytes: Buffer) => Promise<string>,
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  let length = 0
  for (const [id, { type, target }] of relations) {
    if (type !== 'aFChunk' || !zip.has(target)) continue
    const text = await readChunk(await zip.readBytes(target), target, readWordFile)
    length += text.length
    checkTextLength(length)
    texts.set(id, text.trim())
  }
  return texts
}

/** The type is found by the first bytes, because the names of such parts say little. */
async function readChunk(
  bytes: Buffer,
  name: string,
  readWordFile: (bytes: Buffer) => Promise<string>,
): Promise<string> {
  const start = bytes.toString('latin1', 0, 2048)
  if (start.startsWith('PK\x03\x04')) return readWordFile(bytes)
  if (start.startsWith('{\\rtf')) return `[embedded file that is not read: ${posix.basename(name)}]`
  if (/^\s*(?:MIME-Version|From|Subject|Date|Content-Type): /i.test(start)) {
    return extractWebArchiveText(bytes)
  }
  const text = decodeMarkup(bytes)
  return /^\s*</.test(text) ? extractHtmlText(text) : text
}
