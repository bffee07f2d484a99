import { createTooLargeProblem, shrinkAdvice } from '../../../core/chunking/chunk-images.ts'
import type { Image } from '../../../core/document/upload.ts'
import { providerTraits } from '../../../core/request/providers.ts'
import { detectImageType, readImageHeader } from './image-header.ts'
import { UnreadableError } from './unreadable-error.ts'

/** An image to upload, not encoded yet. */
export type ImageFile = Omit<Image, 'base64'> & { readonly bytes: Uint8Array }

/** A document that is uploaded as images, and the text next to them. */
export interface ImageContent {
  readonly text: string
  readonly images: readonly ImageFile[]
}

/**
 * Returns a PNG, JPEG, GIF or WebP unchanged, with its size in pixels. Nothing is decoded, so that no image is too
 * complex.
 * @throws UnreadableError if the image is damaged, or larger than any service accepts
 */
export function readImage(bytes: Buffer): ImageContent {
  const mediaType = detectImageType(bytes)
  const header = mediaType && readImageHeader(mediaType, bytes)
  if (mediaType === undefined || header === undefined)
    throw new UnreadableError('malformed', 'the image is damaged; download or copy it again')
  const { width, height, isComplete } = header
  if (!isComplete)
    throw new UnreadableError('malformed', 'the image is incomplete; download or copy it again')
  if (Math.max(width, height) > maxSidePixels)
    throw new UnreadableError(
      'too_large',
      `the image has ${width} × ${height} pixels, and the API accepts ${maxSidePixels} × ${maxSidePixels}; ${shrinkAdvice}`,
    )
  if (bytes.length > maxImageBytes) {
    const { type, message } = createTooLargeProblem(bytes.length, maxImageBytes)
    throw new UnreadableError(type, message)
  }
  return {
    text: '[The document is the image that is attached.]',
    images: [{ mediaType, bytes, width, height }],
  }
}

/** @see https://platform.claude.com/docs/en/build-with-claude/vision */
const maxSidePixels = 8000

/** The highest limit of all services. */
const maxImageBytes = Math.max(...Object.values(providerTraits).map((traits) => traits.maxImageBytes))
