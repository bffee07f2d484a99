import type { ImageMediaType } from '../../../core/document/upload.ts'

/** What the beginning of an image says about it. */
export interface ImageHeader {
  /** Pixels. */
  readonly width: number
  /** Pixels. */
  readonly height: number
  /** Whether the file has its end; that of the first frame, if the image is animated. */
  readonly isComplete: boolean
}

/** Returns what a file is by its first bytes; undefined if it is no image that the API accepts. */
export function detectImageType(bytes: Buffer): ImageMediaType | undefined {
  const start = bytes.toString('latin1', 0, 16)
  return types.find(({ signature }) => signature.test(start))?.mediaType
}

const types: readonly { readonly mediaType: ImageMediaType; readonly signature: RegExp }[] = [
  { mediaType: 'image/png', signature: /^\x89PNG/ },
  { mediaType: 'image/jpeg', signature: /^\xff\xd8\xff/ },
  // The size of a GIF is binary, so that no text about GIF89a matches.
  { mediaType: 'image/gif', signature: /^GIF8[79]a.{0,3}[\0-\x1f]/s },
  { mediaType: 'image/webp', signature: /^RIFF.{4}WEBP/s },
]

/** Returns the header of an image; undefined if it has none that is valid. Nothing is decoded. */
export function readImageHeader(mediaType: ImageMediaType, bytes: Buffer): ImageHeader | undefined {
  const header = bytes.length < minBytes ? undefined : headerReaders[mediaType](bytes)
  return header === undefined || header.width === 0 || header.height === 0 ? undefined : header
}

/** Every image that has a pixel is longer, and has its size within these bytes, unless it is a JPEG. */
const minBytes = 30

const headerReaders: Readonly<Record<ImageMediaType, (bytes: Buffer) => ImageHeader | undefined>> = {
  'image/png': readPngHeader,
  'image/jpeg': readJpegHeader,
  'image/gif': readGifHeader,
  'image/webp': readWebpHeader,
}

/** @see https://www.w3.org/TR/png-3/#11IHDR */
function readPngHeader(bytes: Buffer): ImageHeader | undefined {
  if (bytes.toString('latin1', 12, 16) !== 'IHDR') return undefined
  return {
    width: bytes.readUInt32BE(16),
    height: bytes.readUInt32BE(20),
    isComplete: bytes.includes('IEND'),
  }
}

/**
 * Returns the header of a JPEG, also of one that is a part of a TIFF.
 * @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.1.1.4 and B.2.2)
 */
export function readJpegHeader(bytes: Buffer): ImageHeader | undefined {
  let size: Pick<ImageHeader, 'width' | 'height'> | undefined
  for (let at = 2; at + 9 < bytes.length; ) {
    const marker = bytes[at + 1] as number
    if (bytes[at] !== 0xff) return undefined
    // Fill bytes.
    if (marker === 0xff) {
      at++
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) size ??= { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
    // The image follows. In it, 0xff is never followed by 0xd9, the end.
    if (marker === 0xda) return size && { ...size, isComplete: bytes.includes(endOfJpeg, at) }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return size && { ...size, isComplete: false }
}

const endOfJpeg = Buffer.from([0xff, 0xd9])

/** @see https://www.w3.org/Graphics/GIF/spec-gif89a.txt */
function readGifHeader(bytes: Buffer): ImageHeader {
  return {
    width: bytes.readUInt16LE(6),
    height: bytes.readUInt16LE(8),
    isComplete: hasFirstFrame(bytes),
  }
}

function hasFirstFrame(bytes: Buffer): boolean {
  const colorTableBytes = (flags = 0) => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0)
  let at = 13 + colorTableBytes(bytes[10])
  while (at < bytes.length) {
    const isFrame = bytes[at] === 0x2c
    if (!isFrame && bytes[at] !== 0x21) return false
    at += isFrame ? 11 + colorTableBytes(bytes[at + 9]) : 2
    for (let length = bytes[at]; length !== undefined && length > 0; length = bytes[at]) at += 1 + length
    at++
    if (isFrame) return at <= bytes.length
  }
  return false
}

/** @see https://developers.google.com/speed/webp/docs/riff_container */
function readWebpHeader(bytes: Buffer): ImageHeader | undefined {
  const isComplete = bytes.readUInt32LE(4) + 8 <= bytes.length
  const kind = bytes.toString('latin1', 12, 16)
  if (!/^VP8[ LX]/.test(kind)) return undefined
  if (kind === 'VP8X')
    return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1, isComplete }
  if (kind === 'VP8 ')
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff, isComplete }
  const bits = bytes.readUInt32LE(21)
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, isComplete }
}
