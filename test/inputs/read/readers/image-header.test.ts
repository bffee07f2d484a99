import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  detectImageType,
  readImageHeader,
  readJpegHeader,
} from '../../../../src/inputs/read/readers/image-header.ts'

const fixture = (name: string) =>
  readFileSync(resolve(import.meta.dirname, '../../../../fixtures/kinds', name))

const images = [
  ['image.png', 'image/png'],
  ['image.jpg', 'image/jpeg'],
  ['image-progressive.jpg', 'image/jpeg'],
  ['image-animated.gif', 'image/gif'],
  ['image.webp', 'image/webp'],
  ['image-lossless.webp', 'image/webp'],
  ['image-alpha.webp', 'image/webp'],
] as const

describe('the header of an image', () => {
  it.each(images)('has the size of %s', (name, mediaType) => {
    const bytes = fixture(name)
    expect(detectImageType(bytes)).toBe(mediaType)
    expect(readImageHeader(mediaType, bytes)).toEqual({ width: 120, height: 80, isComplete: true })
  })

  it.each(images)('is never complete if %s is cut off', (name, mediaType) => {
    const bytes = fixture(name)
    // A GIF needs only its first frame, and other images may have bytes after their end.
    const end = name.endsWith('.gif') ? bytes.indexOf('\0,\0', 40, 'latin1') : bytes.length - 8
    for (let length = 0; length < end; length++)
      expect([length, readImageHeader(mediaType, bytes.subarray(0, length))?.isComplete ?? false]).toEqual([
        length,
        false,
      ])
  })

  it('is complete if other data follows the image, as in photos with a video', () => {
    for (const [name, mediaType] of images) {
      const bytes = Buffer.concat([fixture(name), Buffer.from([0, 0xff, 0xda, 1, 2, 3])])
      expect([name, readImageHeader(mediaType, bytes)?.isComplete]).toEqual([name, true])
    }
  })

  it('of a JPEG skips the preview in its metadata', () => {
    const whole = fixture('image.jpg')
    const preview = Buffer.concat([
      Buffer.from('Exif\0\0'),
      whole.subarray(0, 300),
      Buffer.from([0xff, 0xd9]),
    ])
    const segment = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 0]), preview])
    segment.writeUInt16BE(preview.length + 2, 2)
    const bytes = Buffer.concat([whole.subarray(0, 2), segment, whole.subarray(2)])
    expect(readJpegHeader(bytes)).toEqual({ width: 120, height: 80, isComplete: true })
    expect(readJpegHeader(bytes.subarray(0, -2))).toEqual({ width: 120, height: 80, isComplete: false })
  })

  it('of a PNG may claim any size, for which no memory is taken', () => {
    const bytes = fixture('image.png')
    bytes.writeUInt32BE(100_000, 16)
    bytes.writeUInt32BE(100_000, 20)
    expect(readImageHeader('image/png', bytes)).toEqual({ width: 100_000, height: 100_000, isComplete: true })
    bytes.writeUInt32BE(0, 20)
    expect(readImageHeader('image/png', bytes)).toBeUndefined()
  })

  it('is read without an error from any bytes, in little time', () => {
    const start = fc.constantFrom(...images.map(([name]) => fixture(name)))
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), fc.nat(800), (image, noise, at) => {
        const bytes = Buffer.concat([image.subarray(0, at), noise, image.subarray(at)])
        const mediaType = detectImageType(bytes)
        if (mediaType !== undefined) readImageHeader(mediaType, bytes)
        for (const [, other] of images) readImageHeader(other, bytes)
      }),
      { numRuns: 2000 },
    )
    const endless = Buffer.alloc(20_000_000, 0xff)
    const before = performance.now()
    expect(readJpegHeader(endless)).toBeUndefined()
    expect(performance.now() - before).toBeLessThan(5000)
  })
})

describe('the type of an image', () => {
  it.each(['GIF89a is an image format.', 'GIF87a', 'RIFF and WEBP', 'PNG'])(
    'is not that of a text such as %j',
    (text) => {
      expect(detectImageType(Buffer.from(text))).toBeUndefined()
    },
  )
})
