import type { MarkedText } from '../../../core/document/mark.ts'
import { extractMarkedHtml } from './html-reader.ts'
import { UnreadableError } from './unreadable-error.ts'
import { openZip } from './zip.ts'

/**
 * Returns the text of a Word document: headings, lists, tables, footnotes and text boxes, without tracked
 * deletions, comments and images. Library: mammoth, which converts to HTML. It gets single parts instead of
 * the archive, because it would unpack the whole archive without a limit.
 */
export async function extractDocxText(bytes: Uint8Array): Promise<MarkedText> {
  const { default: mammoth } = await import('mammoth')
  const zip = await openZip(bytes)
  let tagCount = 0
  const file = {
    exists: zip.has,
    async read(name: string, encoding?: string): Promise<string | Uint8Array> {
      const text = await zip.readText(name)
      tagCount += countOccurrences(text, '<')
      if (tagCount > maxTags)
        throw new UnreadableError('too_complex', `it has more than ${maxTags / 1e6} million tags`)
      return encoding === undefined ? Buffer.from(text) : text
    },
  }
  const noPicture = mammoth.images.imgElement(async () => ({ src: '' }))
  const { value } = await mammoth.convertToHtml({ file } as never, {
    convertImage: noPicture,
    externalFileAccess: false,
    // A style map in the document controls the conversion and is not part of its text.
    includeEmbeddedStyleMap: false,
  })
  // Removes the arrow at the end of each note, which links back to the text.
  return extractMarkedHtml(value.replace(/ ?<a href="#(?:foot|end)note-ref-\d+">↑<\/a>/g, ''))
}

/**
 * Maximum number of opening and closing tags. mammoth keeps the whole tree in memory, about 1 kB for each
 * element; a thousand pages have 0.5 million tags.
 */
const maxTags = 1_500_000

function countOccurrences(text: string, sought: string): number {
  let found = 0
  for (let at = text.indexOf(sought); at !== -1; at = text.indexOf(sought, at + 1)) found++
  return found
}
