import type { InputProblem } from '../document/document.ts'
import type { Image, Images } from '../document/upload.ts'
import type { UploadLimits } from './chunk-plan.ts'

/**
 * Splits images, in order, into the fewest groups that each fit into one request. Returns undefined if all fit, and a
 * problem if one is too large.
 */
export function chunkImages(
  { images }: Images,
  { images: maxImages, bytes: maxBytes, imageBytes }: UploadLimits,
): readonly Images[] | InputProblem | undefined {
  const groups: Image[][] = []
  let groupBytes = 0
  for (const image of images) {
    const bytes = image.base64.length * 0.75
    if (bytes > imageBytes) return createTooLargeProblem(bytes, imageBytes)
    const group = groups.at(-1)
    if (group !== undefined && group.length < maxImages && groupBytes + bytes <= maxBytes) {
      group.push(image)
      groupBytes += bytes
    } else {
      groups.push([image])
      groupBytes = bytes
    }
  }
  return groups.length === 1 ? undefined : groups.map((group) => ({ type: 'images', images: group }))
}

/** Returns the problem of an image that has too many bytes for the API. */
export function createTooLargeProblem(bytes: number, maxBytes: number): InputProblem {
  return {
    action: 'fail',
    type: 'too_large',
    message: `the image has ${Math.ceil(bytes / 1e5) / 10} MB, and the API accepts ${maxBytes / 1e6} MB; ${shrinkAdvice}`,
  }
}

/** The models see no more pixels than these. */
export const shrinkAdvice =
  'make it smaller, for example: magick FILE -resize 2500x2500 -quality 90 SMALL.jpg'
