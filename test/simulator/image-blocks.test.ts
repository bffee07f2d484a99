import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { validateRequest } from '../../src/simulator/validate-request.ts'

const fixture = (name: string) => readFileSync(resolve(import.meta.dirname, '../../fixtures/kinds', name))
const png = fixture('image.png')
const withSize = (width: number, height: number) => {
  const bytes = Buffer.from(png)
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes
}
const toBlock = (bytes: Buffer | string, mediaType = 'image/png') => ({
  type: 'image',
  source: {
    type: 'base64',
    media_type: mediaType,
    data: typeof bytes === 'string' ? bytes : bytes.toString('base64'),
  },
})
const check = (blocks: unknown[], model = 'claude-haiku-5-5') =>
  validateRequest(
    {
      model,
      max_tokens: 10,
      messages: [{ role: 'user', content: [...blocks, { type: 'text', text: 'Describe it.' }] }],
    },
    'messages',
  )

describe('an image block', () => {
  it.each([
    ['image.png', 'image/png'],
    ['image.jpg', 'image/jpeg'],
    ['image-progressive.jpg', 'image/jpeg'],
    ['image-animated.gif', 'image/gif'],
    ['image.webp', 'image/webp'],
    ['image-lossless.webp', 'image/webp'],
    ['image-alpha.webp', 'image/webp'],
  ])('is accepted and billed by its pixels: %s', (name, mediaType) => {
    const text = check([]) as { inputTokens: number }
    // 120 × 80 pixels are 5 × 3 squares of 28 pixels.
    expect(check([toBlock(fixture(name), mediaType)])).toMatchObject({ inputTokens: text.inputTokens + 15 })
  })

  it('is billed at most as the largest image that a model sees', () => {
    const text = check([]) as { inputTokens: number }
    expect(check([toBlock(withSize(8000, 8000))])).toMatchObject({ inputTokens: text.inputTokens + 4784 })
  })

  it.each<[string, unknown, RegExp]>([
    [
      'another media type',
      toBlock(png, 'image/jpeg'),
      /^messages\.0\.content\.0\.image\.source.* does not match/,
    ],
    ['a media type that is not accepted', toBlock(png, 'image/tiff'), /media_type: Input should be/],
    ['something else than base64', toBlock('%%%%'), /invalid base64 data/],
    ['an address', { type: 'image', source: { type: 'url', url: 'https://example.org' } }, /base64 source/],
    ['a cut file', toBlock(png.subarray(0, 100)), /^Could not process image$/],
    ['too many pixels', toBlock(withSize(8001, 10)), /exceed max allowed size: 8000 pixels/],
    ['too many bytes', toBlock(Buffer.concat([png, Buffer.alloc(8_000_000)])), /image exceeds 10 MB maximum/],
  ])('is refused for %s', (_name, block, message) => {
    expect(check([block])).toEqual({
      status: 400,
      type: 'invalid_request_error',
      message: expect.stringMatching(message),
    })
  })

  it('is refused above 2,000 pixels if there are more than 20, and above 100 for small models', () => {
    const many = (count: number, bytes: Buffer) => Array.from({ length: count }, () => toBlock(bytes))
    expect(check(many(20, withSize(2001, 10)))).toHaveProperty('inputTokens')
    expect(check(many(21, withSize(2001, 10)))).toMatchObject({
      message: expect.stringContaining('max allowed size for many-image requests: 2000 pixels'),
    })
    expect(check(many(101, png))).toHaveProperty('inputTokens')
    expect(check(many(101, png), 'claude-haiku-4-5')).toMatchObject({
      message: 'messages: too many images: 101 > 100',
    })
  })
})
