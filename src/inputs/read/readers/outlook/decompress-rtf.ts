import { maxUnpackedBytes } from '../reader-limits.ts'
import { UnreadableError } from '../unreadable-error.ts'

/**
 * Returns the RTF of a message, which Outlook compresses; of damaged data, what can be read.
 * @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxrtfcp
 * @throws UnreadableError for more than {@link maxUnpackedBytes}
 */
export function decompressRtf(bytes: Buffer): Buffer {
  if (bytes.length < headerBytes) return Buffer.alloc(0)
  const size = bytes.readUInt32LE(4)
  const type = bytes.toString('latin1', 8, 12)
  if (type === 'MELA') return bytes.subarray(headerBytes, headerBytes + size)
  if (type !== 'LZFu') return Buffer.alloc(0)
  const end = Math.min(bytes.length, bytes.readUInt32LE(0) + 4)
  const parts: Buffer[] = []
  const dictionary = Buffer.alloc(dictionaryBytes, 0x20)
  dictionary.write(initialText, 'latin1')
  let [at, writeAt, length] = [headerBytes, initialText.length, 0]
  let part = Buffer.alloc(partBytes)
  let used = 0
  const write = (byte: number) => {
    dictionary[writeAt] = byte
    writeAt = (writeAt + 1) % dictionaryBytes
    part[used++] = byte
    if (used < partBytes) return
    parts.push(part)
    length += used
    if (length > maxUnpackedBytes)
      throw new UnreadableError('too_large', `its text unpacks to more than ${maxUnpackedBytes / 1e6} MB`)
    part = Buffer.alloc(partBytes)
    used = 0
  }
  while (at < end) {
    const flags = bytes[at++] as number
    for (let bit = 0; bit < 8 && at < end; bit++) {
      if (((flags >> bit) & 1) === 0) {
        write(bytes[at++] as number)
        continue
      }
      if (at + 2 > end) break
      const reference = bytes.readUInt16BE(at)
      at += 2
      const offset = reference >> 4
      // A reference to where the next byte goes is the end.
      if (offset === writeAt) return Buffer.concat([...parts, part.subarray(0, used)])
      for (let n = 0; n < (reference & 0xf) + 2; n++)
        write(dictionary[(offset + n) % dictionaryBytes] as number)
    }
  }
  return Buffer.concat([...parts, part.subarray(0, used)])
}

const headerBytes = 16
const dictionaryBytes = 4096
const partBytes = 65_536

/** The text that the dictionary begins with. */
const initialText =
  '{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx'
