/**
 * Returns an archive without the bytes after its end, which mail programs and web servers add. The end is the
 * last record that can be one: its comment fits into the file, and it points to an index before it. If there is
 * none, the bytes are returned unchanged.
 */
export function trimAfterZip(bytes: Buffer): Buffer {
  for (let at = bytes.lastIndexOf(endSignature); at > 0; at = bytes.lastIndexOf(endSignature, at - 1)) {
    if (at + endLength > bytes.length) continue
    const end = at + endLength + bytes.readUInt16LE(at + 20)
    const [indexSize, indexOffset] = [bytes.readUInt32LE(at + 12), bytes.readUInt32LE(at + 16)]
    const isIndex =
      // In archives of more than 4 GB, or of many files, another record has the offset.
      indexOffset === 0xffffffff ||
      indexSize === 0 ||
      (indexOffset + indexSize <= at && bytes.readUInt32LE(indexOffset) === indexSignature)
    if (end <= bytes.length && isIndex) return bytes.subarray(0, end)
  }
  return bytes
}

const endSignature = Buffer.from('PK\x05\x06')

const indexSignature = 0x02014b50

/** Bytes of the last record without its comment. */
const endLength = 22
