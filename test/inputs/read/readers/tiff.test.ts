import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { deflateSync } from 'node:zlib'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { convertDocument } from '../../../../src/inputs/read/readers/convert-document.ts'
import { createTiff } from '../../../support/create-tiff.ts'
import { decodePng } from '../../../support/png.ts'

const fixture = (name: string) => readFile(resolve(import.meta.dirname, '../../../../fixtures/kinds', name))

// The library prints a line about each page in tiles. In the program, the output of the thread is discarded.
beforeAll(() => void vi.spyOn(console, 'log').mockImplementation(() => {}))

/** Returns the pages of a TIFF, or how it fails. */
async function read(bytes: Buffer) {
  const result = await convertDocument({ format: 'tiff', pdf: 'text', bytes })
  if ('action' in result) return `${result.type}: ${result.message}`
  return (result.images ?? []).map((image) => {
    const png = decodePng(image.bytes)
    expect([image.mediaType, image.width, image.height]).toEqual(['image/png', png.width, png.height])
    return png
  })
}

const black = [0]
const red = [0xc0, 0, 0]

describe('a page of a TIFF', () => {
  it.each<[string, number[], number]>([
    ['tiff-g3.tif', black, 0],
    ['tiff-g4-three-pages.tif', black, 0],
    ['tiff-lzw.tif', red, 0],
    ['tiff-zip-tiled.tif', red, 0],
    ['tiff-packbits-big-endian.tif', red, 0],
    ['tiff-jpeg.tif', red, 3],
    ['tiff-jpeg-rgb.tif', red, 3],
    ['tiff-jpeg-gray.tif', black, 1],
    ['tiff-cmyk.tif', red, 1],
    ['tiff-16-bit.tif', red, 0],
    ['tiff-palette.tif', red, 1],
    ['tiff-transparent.tif', red, 0],
    ['tiff-turned.tif', red, 0],
    ['tiff-with-preview.tif', red, 0],
  ])('becomes a PNG with the same pixels: %s', async (name, color, tolerance) => {
    const pages = await read(await fixture(name))
    expect(pages).toHaveLength(name.includes('three') ? 3 : 1)
    for (const { width, height, getPixel } of pages as Exclude<typeof pages, string>) {
      expect([width, height]).toEqual([120, 80])
      const white = color.map(() => 255)
      for (const [x, y, expected] of [
        [0, 0, color],
        [40, 25, color],
        [80, 5, white],
        [119, 0, white],
        [5, 60, white],
        [0, 79, white],
        [119, 79, white],
      ] as const)
        for (const [n, sample] of getPixel(x, y).entries())
          expect(Math.abs(sample - (expected[n] as number))).toBeLessThanOrEqual(tolerance)
    }
  })

  it('has square pixels, also in a fax of low resolution', async () => {
    const [page] = (await read(await fixture('tiff-g3-low-resolution.tif'))) as Exclude<
      Awaited<ReturnType<typeof read>>,
      string
    >
    expect([page?.width, page?.height]).toEqual([120, 83])
    expect([page?.getPixel(30, 38), page?.getPixel(30, 46)]).toEqual([[0], [255]])
  })

  it.each([
    [1, [0, 0]],
    [2, [59, 0]],
    [3, [59, 39]],
    [4, [0, 39]],
    [5, [0, 0]],
    [6, [39, 0]],
    [7, [39, 59]],
    [8, [0, 59]],
  ] as const)('is upright for the orientation %i', async (orientation, [x, y]) => {
    const data = Buffer.alloc(60 * 40, 255)
    data[0] = 0
    const pages = await read(createTiff({ width: 60, height: 40, data, tags: { 274: orientation } }))
    expect((pages[0] as ReturnType<typeof decodePng>).getPixel(x, y)).toEqual([0])
  })

  it('is made smaller to the size that models see, and further if it has too many bytes', async () => {
    const blank = await read(createTiff({ width: 6000, height: 3000, data: Buffer.alloc(18_000_000, 255) }))
    expect(blank[0]).toMatchObject({ width: 2576, height: 1288 })
    const noise = Buffer.from(Uint8Array.from({ length: 9_000_000 }, (_, n) => (n * 2_654_435_761) >>> 13))
    const result = await convertDocument({
      format: 'tiff',
      pdf: 'text',
      bytes: createTiff({ width: 3000, height: 3000, data: noise }),
    })
    if ('action' in result || result.images?.[0] === undefined) throw new Error('not read')
    expect(result.images[0].bytes.length).toBeLessThan(3_900_000)
    expect(result.images[0].width).toBeGreaterThan(1500)
  })

  it('is named in the text if there are several', async () => {
    const several = await convertDocument({
      format: 'tiff',
      pdf: 'text',
      bytes: await fixture('tiff-g4-three-pages.tif'),
    })
    expect(several).toMatchObject({
      text: '[The document is attached as images of its pages, in their order.]',
    })
  })
})

describe('a TIFF that cannot be decoded correctly', () => {
  const advice = 'which is not supported; convert it to PDF, for example: magick FILE FILE.pdf'
  it.each([
    ['tiff-big.tif', 'unsupported: it is a BigTIFF; convert it, for example: tiffcp FILE SMALL.tif'],
    ['tiff-zstd.tif', `unsupported: page 1 of the TIFF has compression 50000, ${advice}`],
    ['tiff-planar.tif', `unsupported: page 1 of the TIFF has separate colours, ${advice}`],
  ])('is a failure with advice: %s', async (name, message) => {
    expect(await read(await fixture(name))).toBe(message)
  })

  it.each<[string, Readonly<Record<number, number>>, string]>([
    ['Lab', { 262: 8 }, 'colours of kind 8'],
    ['4 bits of gray', { 258: 4 }, '4 bits per colour'],
    ['numbers with a point', { 339: 3 }, 'colours that are not whole numbers'],
    ['fax with gray', { 259: 4 }, 'colours in a compression for black and white'],
    ['bits in reverse order', { 266: 2 }, 'its bits in reverse order'],
    ['YCbCr without JPEG', { 262: 6, 277: 3 }, 'an unusual JPEG'],
  ])('is a failure with advice: %s', async (_name, tags, variant) => {
    expect(await read(createTiff({ width: 20, height: 20, data: Buffer.alloc(1200), tags }))).toBe(
      `unsupported: page 1 of the TIFF has ${variant}, ${advice}`,
    )
  })

  it('is a failure if it is cut off anywhere', async () => {
    for (const name of ['tiff-g3.tif', 'tiff-lzw.tif', 'tiff-zip-tiled.tif', 'tiff-jpeg.tif']) {
      const bytes = await fixture(name)
      for (let length = 0; length < bytes.length; length++)
        expect([name, length, await read(bytes.subarray(0, length))]).toEqual([
          name,
          length,
          'malformed: the TIFF is incomplete; download or copy it again',
        ])
    }
  })

  it('is a failure if its pages are a circle, too many, or too large', async () => {
    const circle = createTiff({ width: 2, height: 2, data: Buffer.alloc(4) })
    circle.writeUInt32LE(circle.readUInt32LE(4), circle.length - 4)
    expect(await read(circle)).toBe('malformed: the TIFF is incomplete; download or copy it again')
    expect(await read(createTiff({ width: 100_000, height: 100_000, data: Buffer.alloc(4) }))).toBe(
      'too_large: page 1 of the TIFF has 100000 × 100000 pixels, too many to decode; make it smaller',
    )
    const tile = { 322: 100_000, 323: 100_000, 324: 8, 325: 4 }
    expect(await read(createTiff({ width: 2, height: 2, data: Buffer.alloc(4), tags: tile }))).toMatch(
      /^too_large/,
    )
  })

  it('is a failure if its data unpack to more than the pixels of the page', async () => {
    const bomb = deflateSync(Buffer.alloc(50_000_000))
    const memory = process.memoryUsage().rss
    expect(await read(createTiff({ width: 20, height: 20, data: bomb, tags: { 259: 8 } }))).toMatch(
      /^malformed: page 1 of the TIFF is damaged: /,
    )
    expect(process.memoryUsage().rss - memory).toBeLessThan(50_000_000)
  })

  it('is a failure if a JPEG in it claims to be larger than the page', async () => {
    const bytes = await fixture('tiff-jpeg.tif')
    const frame = bytes.lastIndexOf(Buffer.from([0xff, 0xc0]))
    bytes.writeUInt16BE(65_500, frame + 5)
    expect(await read(bytes)).toBe('malformed: page 1 of the TIFF is damaged: the size of its JPEG is wrong')
  })
})
