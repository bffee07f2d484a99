import type { FormatName } from './document-formats.ts'
import { openZip } from './zip.ts'

/**
 * Whether a text has words of the document: not only page numbers, or descriptions of pictures as short as
 * `[cover]` and `[Page 12]`.
 */
export function hasWords(text: string): boolean {
  const own = text.replace(/\[[^\]\n]{0,24}\]/g, '')
  return /\p{L}/u.test(own) || (own.match(/\p{N}/gu)?.length ?? 0) > maxPageNumberDigits
}

/** More digits than these are numbers that matter. */
const maxPageNumberDigits = 20

/** Whether the text of an archive has no words, except for the headings that readers add to slides and sheets. */
export async function lacksWords(format: FormatName, text: string, bytes: Uint8Array): Promise<boolean> {
  if (format !== 'pptx' && format !== 'odf') return !hasWords(text)
  if (hasWords(text.replace(/^## .*$/gm, ''))) return false
  return !(format === 'odf' && hasWords(text) && (await isOpenDocumentText(bytes)))
}

async function isOpenDocumentText(bytes: Uint8Array): Promise<boolean> {
  const zip = await openZip(bytes)
  return zip.has('mimetype') && (await zip.readBytes('mimetype')).includes('opendocument.text')
}

/** Whether an archive holds pictures, except for a preview of its first page. */
export async function holdsPictures(bytes: Uint8Array): Promise<boolean> {
  for (const name of (await openZip(bytes)).names())
    if (pictureName.test(name) && !/thumbnail/i.test(name)) return true
  return false
}

const pictureName = /\.(?:png|jpe?g|jpe|gif|bmp|dib|tiff?|emf|wmf|svg|webp|jp2|wdp|jxr|heic|avif|pict)$/i
