import { crc32, deflateSync } from 'node:zlib'
import type { OpaquePixels } from './render-page.ts'

/** Returns pixels as a PNG. @see https://www.w3.org/TR/png-3/ */
export function encodePng({ samples, samplesPerPixel, width, height }: OpaquePixels): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  header[9] = samplesPerPixel === 1 ? 0 : 2
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    createChunk('IHDR', header),
    createChunk('IDAT', deflateSync(filterRows(samples, width * samplesPerPixel))),
    createChunk('IEND', Buffer.alloc(0)),
  ])
}

/** Replaces each row by its difference from the row above (filter 2), which packs better. */
function filterRows(samples: Uint8Array, rowBytes: number): Buffer {
  const rows = samples.length / rowBytes
  const filtered = Buffer.alloc(rows * (rowBytes + 1))
  for (let row = 0, from = 0, to = 0; row < rows; row++) {
    filtered[to++] = 2
    for (let n = 0; n < rowBytes; n++, from++)
      filtered[to++] = (samples[from] as number) - (row === 0 ? 0 : (samples[from - rowBytes] as number))
  }
  return filtered
}

function createChunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(content))
  return Buffer.concat([length, content, checksum])
}
