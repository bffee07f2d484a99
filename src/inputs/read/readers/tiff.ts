import { inflateSync, constants as zlib } from 'node:zlib'
import { decodeLzw } from './decode-lzw.ts'
import { encodePng } from './encode-png.ts'
import { readJpegHeader } from './image-header.ts'
import type { ImageContent, ImageFile } from './images.ts'
import { type RgbaPixels, renderPage } from './render-page.ts'
import { checkTiffPage, listSegments, readTag, type TiffPage } from './tiff-page.ts'
import { UnreadableError } from './unreadable-error.ts'

/** Maximum pages of a TIFF; far more than can be decoded in the time that one document has. */
const maxPages = 1000

/**
 * Maximum bytes of a page as a PNG: below the limit of every service. A page of text has a tenth; a photo is made smaller
 * until it fits.
 */
const maxPngBytes = 3_900_000

/**
 * Returns the pages of a TIFF as PNGs, upright and no larger than a model can see them. Previews and masks are left out.
 * Library: utif2, which does not check what it decodes, so that `checkTiffPage` does.
 * @throws UnreadableError for a damaged file, too many or too large pages, and variants that are not supported
 */
export async function readTiff(bytes: Buffer): Promise<ImageContent> {
  checkDirectories(bytes)
  const utif = await loadUtif()
  const file = toArrayBuffer(bytes)
  const pages = utif.decode(file, { parseMN: false }).filter(isPage)
  if (pages.length === 0) throw new UnreadableError('malformed', 'the TIFF has no image')
  const images = pages.map((page, n): ImageFile => {
    checkTiffPage(page, bytes, n + 1)
    try {
      return toPng(decodePage(utif, page, bytes), page)
    } catch (error) {
      // The library throws strings, too.
      const reason = error instanceof Error ? error.message : String(error)
      throw new UnreadableError('malformed', `page ${n + 1} of the TIFF is damaged: ${reason}`)
    }
  })
  const text =
    images.length === 1
      ? '[The document is the image that is attached.]'
      : '[The document is attached as images of its pages, in their order.]'
  return { text, images }
}

/** The part of utif2 that is used. Its types lack the options, and tags that are missing. */
interface Utif {
  decode(file: ArrayBuffer, options: { readonly parseMN: boolean }): TiffPage[]
  /** Adds `data`, `width` and `height` to a page. */
  decodeImage(file: ArrayBuffer, page: TiffPage): void
  toRGBA8(page: TiffPage): Uint8Array
}

async function loadUtif(): Promise<Utif> {
  return ((await import('utif2')) as unknown as { readonly default: Utif }).default
}

/**
 * Checks the list of pages, which the library would follow in a circle, and that the values of all tags are in the file:
 * the library would take others for 0.
 */
function checkDirectories(bytes: Buffer): void {
  const isLittleEndian = bytes[0] === 0x49
  const readShort = (at: number) => (isLittleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const readLong = (at: number) => (isLittleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const isInFile = (entry: number) => {
    const length = (bytesByType[readShort(entry + 2)] ?? 1) * readLong(entry + 4)
    return length <= 4 || readLong(entry + 8) + length <= bytes.length
  }
  if (bytes.length < 8) throw incompleteError
  if (readShort(2) === bigTiffVersion)
    throw new UnreadableError(
      'unsupported',
      'it is a BigTIFF; convert it, for example: tiffcp FILE SMALL.tif',
    )
  const seen = new Set<number>()
  for (let at = readLong(4); at !== 0; ) {
    const end = at + 2 <= bytes.length ? at + 2 + 12 * readShort(at) : Number.POSITIVE_INFINITY
    if (end + 4 > bytes.length || seen.has(at)) throw incompleteError
    for (let entry = at + 2; entry < end; entry += 12) if (!isInFile(entry)) throw incompleteError
    seen.add(at)
    if (seen.size > maxPages)
      throw new UnreadableError('too_complex', `it has more than ${maxPages} pages; split it`)
    at = readLong(end)
  }
}

const incompleteError = new UnreadableError('malformed', 'the TIFF is incomplete; download or copy it again')

/** Bytes of a value, by the number of its type. @see https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf (page 15) */
const bytesByType: readonly number[] = [1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4]

const bigTiffVersion = 43

/** Whether a directory is a page, rather than a preview or a mask of one. */
function isPage(page: TiffPage): boolean {
  const [kind = 0] = readTag(page, 'NewSubfileType')
  return (kind & 5) === 0 && readTag(page, 'ImageWidth').length > 0
}

function decodePage(utif: Utif, page: TiffPage, bytes: Buffer): RgbaPixels {
  const [compression = 1] = readTag(page, 'Compression')
  if (compression === 7) prepareJpeg(page, bytes)
  const unpack = unpackers[compression]
  utif.decodeImage(toArrayBuffer(unpack === undefined ? bytes : unpackPage(page, bytes, unpack)), page)
  const rgba = withWindow(() => utif.toRGBA8(page))
  return { rgba, width: page.width, height: page.height }
}

/** Returns a segment unpacked, up to a number of bytes. @throws Error for damaged data */
type Unpack = (segment: Buffer, maxBytes: number) => Uint8Array

/** By compression: LZW, Deflate, and Deflate under its old number. */
const unpackers: Readonly<Record<number, Unpack>> = { 5: decodeLzw, 8: inflate, 32946: inflate }

function inflate(segment: Buffer, maxOutputLength: number): Uint8Array {
  // Some programs leave out the end of the stream.
  return inflateSync(segment, { maxOutputLength, finishFlush: zlib.Z_SYNC_FLUSH })
}

/**
 * Unpacks the segments of a page, and points its tags to the result. The library would unpack any number of bytes, and
 * would not end for damaged LZW.
 */
function unpackPage(page: TiffPage, bytes: Buffer, unpack: Unpack): Buffer {
  const { segments, segmentBytes, offsetTag, lengthTag } = listSegments(page)
  // The first two bytes say which byte of a number comes first.
  const unpacked: Uint8Array[] = [bytes.subarray(0, 2)]
  const offsets: number[] = []
  let end = 2
  for (const { offset, length } of segments) {
    const segment = unpack(bytes.subarray(offset, offset + length), segmentBytes)
    unpacked.push(segment)
    offsets.push(end)
    end += segment.length
  }
  page[offsetTag] = offsets
  page[lengthTag] = unpacked.slice(1).map(({ length }) => length)
  page.t259 = [1]
  return Buffer.concat(unpacked)
}

/**
 * Checks that no JPEG in a page is larger than its place. Then corrects two faults of the library: it takes RGB for YCbCr,
 * and returns three colours for gray.
 */
function prepareJpeg(page: TiffPage, bytes: Buffer): void {
  const { segments, width, height } = listSegments(page)
  for (const { offset, length } of segments) {
    const size = readJpegHeader(bytes.subarray(offset, offset + length))
    if (size === undefined || size.width > width + 16 || size.height > height + 16)
      throw new Error('the size of its JPEG is wrong')
  }
  const [photometric] = readTag(page, 'Photometric')
  if (photometric === 1) Object.assign(page, { t258: [8, 8, 8], t262: [2], t277: [3] })
  if (photometric !== 2) return
  const tables = readTag(page, 'JPEGTables')
  page.t347 = [0xff, 0xd8, ...adobeRgbMarker, ...(tables.length === 0 ? [0xff, 0xd9] : tables.slice(2))]
}

/** Says that the colours of a JPEG are not transformed. @see https://www.w3.org/Graphics/JPEG/itu-t872.pdf (6.5.3) */
const adobeRgbMarker = [0xff, 0xee, 0, 14, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, 0]

/** Gives the library the variable of browsers that it looks at for pages in CMYK. */
function withWindow<Result>(use: () => Result): Result {
  const globals = globalThis as { window?: unknown }
  globals.window = {}
  try {
    return use()
  } finally {
    delete globals.window
  }
}

function toPng(pixels: RgbaPixels, page: TiffPage): ImageFile {
  const [orientation = 1] = readTag(page, 'Orientation')
  const aspect = readRational(page.t282) / readRational(page.t283)
  for (let maxSide = maxVisiblePixels; ; ) {
    const rendered = renderPage(pixels, { maxSide, orientation, aspect })
    const bytes = encodePng(rendered)
    const { width, height } = rendered
    if (bytes.length <= maxPngBytes) return { mediaType: 'image/png', bytes, width, height }
    maxSide = 0.95 * Math.max(width, height) * Math.sqrt(maxPngBytes / bytes.length)
  }
}

/** The API makes larger images smaller. @see https://platform.claude.com/docs/en/build-with-claude/vision */
const maxVisiblePixels = 2576

/** Returns the first number of a tag that holds fractions; `NaN` without one. */
function readRational(value: TiffPage['t282']): number {
  const [numerator = Number.NaN, denominator = Number.NaN] = value?.[0] ?? []
  return numerator / denominator
}

function toArrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
