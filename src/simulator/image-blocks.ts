/**
 * Checks the image blocks of a request as the API does, and counts their tokens. Returns the API's message for the first
 * one that it would refuse.
 * @param blocks with their place in the request: `messages.0.content.1`
 * @see https://platform.claude.com/docs/en/build-with-claude/vision
 */
export function countImageTokens(
  blocks: readonly { readonly path: string; readonly source: unknown }[],
  maxImages: number,
): number | string {
  if (blocks.length > maxImages) return `messages: too many images: ${blocks.length} > ${maxImages}`
  const maxSide = blocks.length > 20 ? 2000 : 8000
  let tokens = 0
  for (const { path, source } of blocks) {
    const size = readImage(path, source)
    if (typeof size === 'string') return size
    if (Math.max(size.width, size.height) > maxSide) {
      const kind = maxSide === 2000 ? ' for many-image requests' : ''
      return `${path}.image.source.base64.data: At least one of the image dimensions exceed max allowed size${kind}: ${maxSide} pixels`
    }
    tokens += Math.min(4784, Math.ceil(size.width / 28) * Math.ceil(size.height / 28))
  }
  return tokens
}

interface Size {
  readonly width: number
  readonly height: number
}

function readImage(path: string, source: unknown): Size | string {
  const { type, media_type: mediaType, data } = (source ?? {}) as Record<string, unknown>
  if (type !== 'base64' || typeof data !== 'string')
    return `${path}.image.source: Input should be a base64 source`
  const format = formats.find((format) => format.mediaType === mediaType)
  if (format === undefined)
    return `${path}.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'`
  if (data.length > maxBase64Length)
    return `${path}.image.source.base64: image exceeds 10 MB maximum: ${data.length} bytes > ${maxBase64Length} bytes`
  if (!/^[\w+/]+={0,2}$/.test(data) || data.length % 4 !== 0)
    return `${path}.image.source.base64.data: invalid base64 data`
  const bytes = Buffer.from(data, 'base64')
  const start = bytes.toString('latin1', 0, 16)
  if (!format.signature.test(start))
    return `${path}.image.source.base64.data: Image does not match the provided media type ${mediaType}`
  const size = format.readSize(bytes)
  return size === undefined || !format.end.test(bytes.toString('latin1')) ? 'Could not process image' : size
}

/** 10 MiB, of the text and not of the file. */
const maxBase64Length = 10_485_760

const formats: readonly {
  readonly mediaType: string
  readonly signature: RegExp
  /** Matches a file that has its end. */
  readonly end: RegExp
  readonly readSize: (bytes: Buffer) => Size | undefined
}[] = [
  {
    mediaType: 'image/png',
    signature: /^\x89PNG/,
    end: /IEND/,
    readSize: (bytes) =>
      bytes.length < 24 ? undefined : { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) },
  },
  { mediaType: 'image/jpeg', signature: /^\xff\xd8\xff/, end: /\xff\xd9/, readSize: readJpegSize },
  {
    mediaType: 'image/gif',
    signature: /^GIF8/,
    end: /;/,
    readSize: (bytes) =>
      bytes.length < 10 ? undefined : { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) },
  },
  { mediaType: 'image/webp', signature: /^RIFF[\s\S]{4}WEBP/, end: /^/, readSize: readWebpSize },
]

/** Finds the size behind the first marker of a frame. */
function readJpegSize(bytes: Buffer): Size | undefined {
  for (let at = 2; at + 8 < bytes.length; at += 2 + bytes.readUInt16BE(at + 2))
    if ([0xc0, 0xc1, 0xc2].includes(bytes[at + 1] as number))
      return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
  return undefined
}

function readWebpSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 30) return undefined
  const kind = bytes.toString('latin1', 12, 16)
  if (kind === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }
  if (kind === 'VP8 ')
    return { width: bytes.readUInt16LE(26) % 16384, height: bytes.readUInt16LE(28) % 16384 }
  const bits = bytes.readUInt32LE(21)
  return { width: (bits % 16384) + 1, height: (Math.floor(bits / 16384) % 16384) + 1 }
}
