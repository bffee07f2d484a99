import type { ImageMediaType, Upload } from '../core/document/upload.ts'
import { isMarks } from './is-marks.ts'

/**
 * Whether a value from the caller is an upload: a PDF with the number of its pages, or images with their sizes. The
 * spending cap is computed from these numbers.
 */
export function isUpload(value: unknown): value is Upload {
  const { type, base64, pages, content, images } = (value ?? {}) as Record<string, unknown>
  if (type === 'pdf') return isText(base64) && isPositiveInteger(pages) && isPdfContent(content)
  return type === 'images' && Array.isArray(images) && images.length > 0 && images.every(isImage)
}

function isPdfContent(value: unknown): boolean {
  if (value === undefined) return true
  const { text, marks } = Object(value) as Record<string, unknown>
  return typeof text === 'string' && isMarks(marks)
}

function isImage(value: unknown): boolean {
  const { mediaType, base64, width, height } = (value ?? {}) as Record<string, unknown>
  return mediaTypes.has(mediaType) && isText(base64) && isPositiveInteger(width) && isPositiveInteger(height)
}

const mediaTypes: ReadonlySet<unknown> = new Set<ImageMediaType>([
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
])

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function isPositiveInteger(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) > 0
}
