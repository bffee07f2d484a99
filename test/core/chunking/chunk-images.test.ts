import { describe, expect, it } from 'vitest'
import { chunkImages } from '../../../src/core/chunking/chunk-images.ts'
import { findUploadLimits } from '../../../src/core/chunking/chunk-plan.ts'
import type { Image, Images } from '../../../src/core/document/upload.ts'

const limits = { pages: 600, images: 3, bytes: 3000, imageBytes: 1500 }
const createImages = (sizes: readonly number[]): Images => ({
  type: 'images',
  images: sizes.map(
    (size, n): Image => ({
      mediaType: 'image/png',
      base64: String.fromCharCode(65 + n).repeat((size * 4) / 3),
      width: 10,
      height: 10,
    }),
  ),
})
const chunk = (...sizes: number[]) => {
  const result = chunkImages(createImages(sizes), limits)
  if (result === undefined || 'action' in result) return result
  return result.map(({ images }) => images.map(({ base64 }) => base64[0]).join(''))
}

describe('the images of a document', () => {
  it('stay in one request if they fit', () => {
    expect(chunk(300)).toBeUndefined()
    expect(chunk(900, 900, 900)).toBeUndefined()
  })

  it('are split, in order, by their number and by their bytes', () => {
    expect(chunk(300, 300, 300, 300)).toEqual(['ABC', 'D'])
    expect(chunk(1500, 1500, 1500, 300, 300)).toEqual(['AB', 'CDE'])
  })

  it('are a failure if one is too large for the service', () => {
    expect(chunk(300, 1800)).toEqual({
      action: 'fail',
      type: 'too_large',
      message: expect.stringMatching(
        /^the image has 0\.1 MB, and the API accepts 0\.0015 MB; make it smaller/,
      ),
    })
  })
})

describe('the images of one request', () => {
  it('are at most 20, and fewer if more tokens would be more expensive', () => {
    expect(findUploadLimits('claude-haiku-4-5', 'anthropic', 190_000).images).toBe(20)
    expect(findUploadLimits('claude-haiku-5-5', 'anthropic', 40_000).images).toBe(8)
    expect(findUploadLimits('claude-haiku-5-5', 'anthropic', 500).images).toBe(1)
  })

  it('have fewer bytes on services that take smaller requests', () => {
    const sizes = (['anthropic', 'vertex', 'bedrock'] as const).map((provider) => {
      const { bytes, imageBytes } = findUploadLimits('claude-haiku-4-5', provider, 1e6)
      return [Math.ceil(bytes / 3) * 4, Math.ceil(imageBytes / 3) * 4]
    })
    // In base64: below 32, 30 and 20 MB, and below 10 MiB and 5 MiB.
    expect(sizes).toEqual([
      [29_333_336, 10_400_000],
      [26_666_668, 5_200_000],
      [17_333_336, 5_200_000],
    ])
  })
})
