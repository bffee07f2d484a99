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

/** Whether a document holds pictures, except for a preview of its first page. */
export async function holdsPictures(format: FormatName, bytes: Buffer): Promise<boolean> {
  if (format === 'rtf') return bytes.includes('\\pict')
  if (format === 'doc') return pictureSignature.test(bytes.toString('latin1'))
  for (const name of (await openZip(bytes)).names())
    if (pictureName.test(name) && !/thumbnail/i.test(name)) return true
  return false
}

/**
 * Matches the start of a PNG or JPEG, or of the record of an EMF or WMF.
 * @see https://learn.microsoft.com/openspecs/office_file_formats/ms-odraw (2.2.24 and 2.2.25)
 */
const pictureSignature = /\x89PNG|\xff\xd8\xff|[@P]=\x1a\xf0|[`p]!\x1b\xf0/

const pictureName = /\.(?:png|jpe?g|jpe|gif|bmp|dib|tiff?|emf|wmf|svg|webp|jp2|wdp|jxr|heic|avif|pict)$/i
