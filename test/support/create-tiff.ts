/** A page in gray, uncompressed unless its tags say otherwise. */
interface TiffOptions {
  readonly width: number
  readonly height: number
  /** The only strip. */
  readonly data: Buffer
  /** More tags, or other values of them, by number. */
  readonly tags?: Readonly<Record<number, number>>
}

/** Returns a TIFF of one page, with its directory at the end. */
export function createTiff({ width, height, data, tags = {} }: TiffOptions): Buffer {
  const all: Record<number, number> = {
    256: width,
    257: height,
    258: 8,
    259: 1,
    262: 1,
    273: 8,
    277: 1,
    278: height,
    279: data.length,
    ...tags,
  }
  const entries = Object.entries(all).map(([tag, value]) => {
    const entry = Buffer.alloc(12)
    entry.writeUInt16LE(Number(tag), 0)
    // A number of 32 bits.
    entry.writeUInt16LE(4, 2)
    entry.writeUInt32LE(1, 4)
    entry.writeUInt32LE(value, 8)
    return entry
  })
  const header = Buffer.from('II*\0\0\0\0\0', 'latin1')
  header.writeUInt32LE(8 + data.length, 4)
  const count = Buffer.alloc(2)
  count.writeUInt16LE(entries.length)
  return Buffer.concat([header, data, count, ...entries, Buffer.alloc(4)])
}
