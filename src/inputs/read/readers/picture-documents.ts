import type { FormatName } from './document-formats.ts'
import { openZip } from './zip.ts'

/**
 * Whether a text has words of the document: not only headings that the reader adds, page numbers, or
 * descriptions of pictures as short as `[cover]` and `[Page 12]`.
 */
export function hasWords(format: FormatName, text: string): boolean {
  const withHeadings = format !== 'pptx' && format !== 'odf'
  const own = (withHeadings ? text : text.replace(/^## .*$/gm, '')).replace(/\[[^\]\n]{0,24}\]/g, '')
  return /\p{L}/u.test(own) || (own.match(/\p{N}/gu)?.length ?? 0) > maxPageNumberDigits
}

/** More digits than these are numbers that matter. */
const maxPageNumberDigits = 20

/** Whether an archive holds pictures, except for a preview of its first page. */
export async function holdsPictures(bytes: Uint8Array): Promise<boolean> {
  for (const name of (await openZip(bytes)).names())
    if (pictureName.test(name) && !/thumbnail/i.test(name)) return true
  return false
}

const pictureName = /\.(?:png|jpe?g|jpe|gif|bmp|dib|tiff?|emf|wmf|svg|webp|jp2|wdp|jxr|heic|avif|pict)$/i
