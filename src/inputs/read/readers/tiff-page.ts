import { UnreadableError } from './unreadable-error.ts'

/** A page of a TIFF as utif2 returns it: its tags by number, and after decoding its pixels. */
export interface TiffPage extends Partial<Record<TagOfNumbers, ArrayLike<number>>> {
  /** Dots per unit, in x and y, as a numerator and a denominator. */
  readonly t282?: readonly (readonly number[])[]
  readonly t283?: readonly (readonly number[])[]
  width: number
  height: number
}

/** Numbers of tags. @see https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf */
const tags = {
  NewSubfileType: 't254',
  ImageWidth: 't256',
  ImageLength: 't257',
  BitsPerSample: 't258',
  Compression: 't259',
  Photometric: 't262',
  FillOrder: 't266',
  StripOffsets: 't273',
  Orientation: 't274',
  SamplesPerPixel: 't277',
  RowsPerStrip: 't278',
  StripByteCounts: 't279',
  PlanarConfiguration: 't284',
  TileWidth: 't322',
  TileLength: 't323',
  TileOffsets: 't324',
  TileByteCounts: 't325',
  SampleFormat: 't339',
  JPEGTables: 't347',
} as const

type TagOfNumbers = (typeof tags)[keyof typeof tags]

/** Returns the numbers of a tag; none if the page lacks it. */
export function readTag(page: TiffPage, name: keyof typeof tags): number[] {
  return Array.from(page[tags[name]] ?? [])
}

/** Where the pixels of a page are in the file. */
export interface Segments {
  readonly segments: readonly { readonly offset: number; readonly length: number }[]
  /** Pixels of one segment, a strip or a tile. */
  readonly width: number
  readonly height: number
  /** Bytes of one segment when it is unpacked. */
  readonly segmentBytes: number
  readonly offsetTag: 't273' | 't324'
  readonly lengthTag: 't279' | 't325'
}

/** Returns the segments of a page, which must have passed {@link checkTiffPage}. */
export function listSegments(page: TiffPage): Segments {
  const first = (name: keyof typeof tags) => readTag(page, name)[0]
  const isTiled = first('TileWidth') !== undefined
  const [imageWidth = 0, imageHeight = 0] = [first('ImageWidth'), first('ImageLength')]
  const width = isTiled ? (first('TileWidth') ?? 0) : imageWidth
  const height = isTiled
    ? (first('TileLength') ?? 0)
    : Math.min(first('RowsPerStrip') ?? imageHeight, imageHeight)
  const offsets = readTag(page, isTiled ? 'TileOffsets' : 'StripOffsets')
  const lengths = readTag(page, isTiled ? 'TileByteCounts' : 'StripByteCounts')
  return {
    segments: offsets.map((offset, n) => ({ offset, length: lengths[n] ?? Number.NaN })),
    width,
    height,
    segmentBytes: height * Math.ceil((width * countBitsPerPixel(page)) / 8),
    ...(isTiled ? { offsetTag: 't324', lengthTag: 't325' } : { offsetTag: 't273', lengthTag: 't279' }),
  }
}

/**
 * Checks that utif2 decodes a page correctly and in little memory. It draws what it does not know as black or noise, of
 * which a summary would be invented.
 * @param number of the page, from 1
 * @throws UnreadableError
 */
export function checkTiffPage(page: TiffPage, bytes: Buffer, number: number): void {
  const [width = 0, height = 0] = [readTag(page, 'ImageWidth')[0], readTag(page, 'ImageLength')[0]]
  const { segments, width: segmentWidth, height: segmentHeight, segmentBytes } = listSegments(page)
  const isJpeg = readTag(page, 'Compression')[0] === 7
  const pixelBytes = countBitsPerPixel(page) / 8 + bytesPerRgbaPixel + (isJpeg ? bytesPerJpegPixel : 0)
  const maxPixels = maxPageBytes / pixelBytes
  if (width * height > maxPixels || segmentWidth * segmentHeight > maxPixels)
    throw new UnreadableError(
      'too_large',
      `page ${number} of the TIFF has ${width} × ${height} pixels, too many to decode; make it smaller`,
    )
  const variant = describeUnsupportedVariant(page)
  if (variant !== undefined)
    throw new UnreadableError(
      'unsupported',
      `page ${number} of the TIFF has ${variant}, which is not supported; convert it to PDF, for example: magick FILE FILE.pdf`,
    )
  const expected = Math.ceil(width / segmentWidth) * Math.ceil(height / segmentHeight)
  const isInFile = segments.every(({ offset, length }) => offset + length <= bytes.length)
  if (!(segmentBytes > 0) || segments.length < expected || !isInFile)
    throw new UnreadableError(
      'malformed',
      `page ${number} of the TIFF is incomplete; download or copy it again`,
    )
}

/** Maximum bytes of the pixels of a page while it is decoded: A2 at 600 dpi, in black and white. */
const maxPageBytes = 800_000_000

const bytesPerRgbaPixel = 4

/** Coefficients and colours of a JPEG while it is decoded. */
const bytesPerJpegPixel = 12

function countBitsPerPixel(page: TiffPage): number {
  const [[bits = 1], [samples = 1]] = [readTag(page, 'BitsPerSample'), readTag(page, 'SamplesPerPixel')]
  return bits * samples
}

/** Returns what utif2 does not decode correctly; undefined if it decodes the page. */
function describeUnsupportedVariant(page: TiffPage): string | undefined {
  const [compression = 1] = readTag(page, 'Compression')
  const [photometric = 0] = readTag(page, 'Photometric')
  const [samples = 1] = readTag(page, 'SamplesPerPixel')
  const allBits = readTag(page, 'BitsPerSample')
  const bits = allBits[0] ?? 1
  const isFax = compression === 3 || compression === 4
  if (!compressions.has(compression)) return `compression ${compression}`
  const kind = kinds[photometric]
  if (kind === undefined) return `colours of kind ${photometric}`
  if (allBits.some((other) => other !== bits) || !kind.bits.includes(bits)) return `${bits} bits per colour`
  const isGray = photometric <= 1
  if (samples < kind.samples || (bits !== 8 && isGray && samples > 1)) return `${samples} colours`
  if (isFax && bits * samples !== 1) return 'colours in a compression for black and white'
  if (
    compression === 7
      ? bits !== 8 || samples !== kind.samples || photometric === 0 || photometric === 5
      : photometric === 6
  )
    return 'an unusual JPEG'
  if (readTag(page, 'PlanarConfiguration')[0] === 2 && samples > 1) return 'separate colours'
  if (readTag(page, 'SampleFormat').some((format) => format !== 1))
    return 'colours that are not whole numbers'
  if (readTag(page, 'FillOrder')[0] === 2 && !isFax) return 'its bits in reverse order'
  return undefined
}

/** None, CCITT G3 and G4, LZW, JPEG, Deflate (two numbers), PackBits. */
const compressions: ReadonlySet<number> = new Set([1, 3, 4, 5, 7, 8, 32946, 32773])

/** What pixels are, by the tag `Photometric`: the bits per sample that are decoded, and the samples of a pixel. */
const kinds: Readonly<Record<number, { readonly bits: readonly number[]; readonly samples: number }>> = {
  // Gray, with 0 for white or for black.
  0: { bits: [1, 4, 8, 16], samples: 1 },
  1: { bits: [1, 2, 8, 16], samples: 1 },
  // RGB, palette, CMYK, YCbCr.
  2: { bits: [8, 16], samples: 3 },
  3: { bits: [1, 2, 4, 8], samples: 1 },
  5: { bits: [8], samples: 4 },
  6: { bits: [8], samples: 3 },
}
