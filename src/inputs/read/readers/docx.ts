import { extractHtmlText } from './html-reader.ts'
import { UnreadableError } from './unreadable-error.ts'
import { openZip } from './zip.ts'

/**
 * The text of a Word document: headings, lists, tables, footnotes and text boxes, without what tracked changes took
 * away, without comments and pictures. Library: mammoth, which is handed the parts of the archive that it asks for
 * instead of the archive, since it would unpack whatever is in there. It makes HTML, which is read as such.
 */
export async function extractDocxText(bytes: Uint8Array): Promise<string> {
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
    // What a document says about how it is to be converted is not its text.
    includeEmbeddedStyleMap: false,
  })
  // Each note ends with an arrow back to where it belongs.
  return extractHtmlText(value.replace(/ ?<a href="#(?:foot|end)note-ref-\d+">↑<\/a>/g, ''))
}

/** Opening and closing. mammoth holds the whole tree, about 1 kB for each element; a thousand pages have 0.5 million. */
const maxTags = 1_500_000

function countOccurrences(text: string, sought: string): number {
  let found = 0
  for (let at = text.indexOf(sought); at !== -1; at = text.indexOf(sought, at + 1)) found++
  return found
}
