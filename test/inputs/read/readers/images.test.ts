import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createDocumentReader } from '../../../../src/inputs/read/read-document.ts'

const fixtures = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const fixture = (name: string) => readFile(join(fixtures, name))
const folder = await mkdtemp(join(tmpdir(), 'claude-batch-test-'))

/** Reads a file: its media types and its text, or how it fails. */
async function readAs(name: string, bytes: Buffer | string, namedByUser = false) {
  if (name !== '-') await writeFile(join(folder, name), bytes)
  const read = createDocumentReader({ cwd: folder, stdin: Readable.from([Buffer.from(bytes)]) })
  const result = await read({ index: 0, path: name, namedByUser })
  if ('action' in result) return `${result.action} ${result.type}: ${result.message}`
  if (result.upload?.type !== 'images') return result.text
  const types = result.upload.images.map(({ mediaType, width, height }) => `${mediaType} ${width}×${height}`)
  return `${types.join(', ')}: ${result.text}`
}

const attached = '[The document is the image that is attached.]'

describe('an image', () => {
  it.each([
    ['image.png', 'image/png'],
    ['image.jpg', 'image/jpeg'],
    ['image-progressive.jpg', 'image/jpeg'],
    ['image-animated.gif', 'image/gif'],
    ['image.webp', 'image/webp'],
    ['image-lossless.webp', 'image/webp'],
    ['image-alpha.webp', 'image/webp'],
  ])('is uploaded unchanged, with its size: %s', async (name, mediaType) => {
    const bytes = await fixture(name)
    const read = createDocumentReader({ cwd: fixtures, stdin: Readable.from([]) })
    expect(await read({ index: 0, path: name, namedByUser: false })).toMatchObject({
      text: attached,
      upload: {
        type: 'images',
        images: [{ mediaType, width: 120, height: 80, base64: bytes.toString('base64') }],
      },
    })
  })

  it('has the type of its bytes under any name', async () => {
    const jpeg = `image/jpeg 120×80: ${attached}`
    for (const name of ['x.png', 'x.PNG', 'x.gif', 'x.webp', 'x.tiff', 'x.jfif', 'x.jpe'])
      expect([name, await readAs(name, await fixture('image.jpg'))]).toEqual([name, jpeg])
    expect(await readAs('x.jpg', await fixture('tiff-g3.tif'))).toBe(`image/png 120×80: ${attached}`)
  })

  it('is read from stdin and under any name if the user names it', async () => {
    const png = await fixture('image.png')
    expect(await readAs('-', png, true)).toBe(`image/png 120×80: ${attached}`)
    for (const name of ['scan', 'scan.dat', 'scan.txt'])
      expect([name, await readAs(name, png, true)]).toEqual([name, `image/png 120×80: ${attached}`])
  })

  it('is not sent from a folder under a name that does not say so', async () => {
    const png = await fixture('image.png')
    for (const name of ['x.txt', 'x.py', 'x'])
      expect([name, await readAs(name, png)]).toEqual([
        name,
        'skip binary: not text (an image); name it, or give it the extension of an image',
      ])
    expect(await readAs('x.pdf', png)).toBe(
      'fail not_a_pdf: x.pdf is not a PDF but a PNG image; if that is right, rename it to .png',
    )
  })

  it('is a failure if the content is something else, or no bytes', async () => {
    expect(await readAs('photo.png', '<!doctype html><title>Sign in')).toBe(
      'fail not_an_image: photo.png is not an image but an HTML page (perhaps a sign-in page); download it again',
    )
    expect(await readAs('fax.tif', 'Not Found')).toMatch(
      /^fail not_a_tiff_image: fax\.tif is not a TIFF image/,
    )
    expect(await readAs('photo.jpg', '')).toBe('fail empty: the file is empty; download or copy it again')
    expect(await readAs('-', '', true)).toBe('fail empty: the document is empty')
  })

  it('is a failure if it is damaged or cut off', async () => {
    for (const name of ['image.png', 'image.jpg', 'image.webp', 'image-animated.gif']) {
      const bytes = await fixture(name)
      expect([name, await readAs(name, bytes.subarray(0, bytes.length / 2))]).toEqual([
        name,
        'fail malformed: the image is incomplete; download or copy it again',
      ])
      expect([name, await readAs(name, bytes.subarray(0, 14))]).toEqual([
        name,
        'fail malformed: the image is damaged; download or copy it again',
      ])
    }
  })

  it('is a failure if it is larger than the API accepts, with what to do', async () => {
    const png = await fixture('image.png')
    const withSize = (width: number, height: number) => {
      const bytes = Buffer.from(png)
      bytes.writeUInt32BE(width, 16)
      bytes.writeUInt32BE(height, 20)
      return bytes
    }
    expect(await readAs('x.png', withSize(8000, 8000))).toBe(`image/png 8000×8000: ${attached}`)
    expect(await readAs('x.png', withSize(100_000, 100_000))).toBe(
      'fail too_large: the image has 100000 × 100000 pixels, and the API accepts 8000 × 8000; make it smaller, for example: magick FILE -resize 2500x2500 -quality 90 SMALL.jpg',
    )
    const withBytes = (count: number) => Buffer.concat([png, Buffer.alloc(count - png.length)])
    expect(await readAs('x.png', withBytes(7_800_000))).toBe(`image/png 120×80: ${attached}`)
    const tooLarge = /^fail too_large: the image has 10\.6 MB, and the API accepts 7\.8 MB; make it smaller/
    expect(await readAs('x.png', withBytes(10_600_000))).toMatch(tooLarge)
    expect(await readAs('-', withBytes(10_600_000), true)).toMatch(tooLarge)
    expect(await readAs('x.png', withBytes(70_000_000))).toBe(
      'fail too_large: larger than 64 MB (70 MB); make it smaller',
    )
  })
})
