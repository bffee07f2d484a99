import type { MarkedText } from './mark.ts'

/** Files that are sent next to the text of a document, because the model must see them: pages or images. */
export type Upload = Pdf | Images

/** Pages of a PDF. */
export interface Pdf {
  /** Distinguishes it from images. */
  readonly type: 'pdf'
  /** The file in base64. */
  readonly base64: string
  /** The number of its pages. */
  readonly pages: number
  /** Whether these are only the scanned pages of a document, whose other pages are its text. */
  readonly isPartial?: boolean
  /** The text of its pages, if it was extracted. It is not sent: quotes are looked up in it. */
  readonly content?: MarkedText
}

/** One image, or the pages of a TIFF in their order. */
export interface Images {
  /** Distinguishes them from pages of a PDF. */
  readonly type: 'images'
  /** At least one. */
  readonly images: readonly Image[]
}

/** An image file. */
export interface Image {
  /** What the bytes are; the name of the file may be wrong. The API refuses an image of another type. */
  readonly mediaType: ImageMediaType
  /** The file in base64. */
  readonly base64: string
  /** Width in pixels. */
  readonly width: number
  /** Height in pixels. */
  readonly height: number
}

/** The types of images that the API accepts. */
export type ImageMediaType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'

/**
 * Returns the tokens of an upload, for estimates. A page of a PDF is sent as text and as an image, about 2,400 tokens if
 * it is dense. An image has a token per square of 28 pixels. The API makes larger images smaller until they have at most
 * 4,784 tokens; models before Opus 4.7 get at most 1,600, so that the estimate is high for them.
 * @see https://platform.claude.com/docs/en/build-with-claude/vision
 */
export function estimateUploadTokens(upload: Upload): number {
  if (upload.type === 'pdf') return upload.pages * tokensPerPage
  const tokens = upload.images.map(({ width, height }) => Math.ceil(width / 28) * Math.ceil(height / 28))
  return tokens.reduce((sum, count) => sum + Math.min(count, maxTokensPerImage), 0)
}

const tokensPerPage = 2400

/** Tokens of an image that is as large as a model can see it. */
export const maxTokensPerImage = 4784

/** Returns more tokens than an upload can have: 10,000 per page or image, far more than was measured for any. */
export function computeMaxUploadTokens(upload: Upload): number {
  return 10_000 * (upload.type === 'pdf' ? upload.pages : upload.images.length)
}
