import { joinMarked, type MarkedPart, type MarkedText } from '../../../core/document/mark.ts'
import { decodeMarkup } from './decode-markup.ts'
import { readEpubPackage, resolveHref } from './epub-package.ts'
import { extractMarkedHtml } from './html-reader.ts'
import { hasWords } from './picture-documents.ts'
import { checkTextLength } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'
import { openZip } from './zip.ts'

/**
 * Returns the title, the author and the text of a book: the chapters in reading order, then the documents
 * that they link to, such as notes. Nothing if no chapter has words. The number of a chapter is that of its
 * file in this order.
 */
export async function extractEpubText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const { title, author, chapters, linked, encrypted } = await readEpubPackage(zip)
  if (chapters.some((file) => encrypted.has(file)))
    throw new UnreadableError('encrypted', 'it is protected against copying (DRM)')
  const parts: MarkedPart[] = []
  const targets = new Set<string>()
  let length = 0
  const read = async (file: string, number: number) => {
    if (!zip.has(file)) return
    const markup = decodeMarkup(await zip.readBytes(file))
    // Some books declare images and fonts as chapters.
    if (!/^\s*</.test(markup)) return
    if (linked.length > 0) collectTargets(markup, file, targets)
    const chapter = await extractMarkedHtml(markup, { xml: true, title: false })
    length += chapter.text.length
    checkTextLength(length)
    parts.push({ ...chapter, kind: 'chapter', label: String(number) })
  }
  for (const [index, file] of chapters.entries()) await read(file, index + 1)
  for (const [index, file] of linked.entries())
    if (targets.has(file)) await read(file, chapters.length + index + 1)
  const book = joinMarked(parts, '\n\n')
  if (title === '' || !hasWords(book.text)) return book
  return joinMarked([{ text: `# ${title}${author === '' ? '' : `\n\nby ${author}`}` }, book], '\n\n')
}

/** Collects the files that a chapter links to. */
function collectTargets(markup: string, file: string, targets: Set<string>): void {
  for (const [, href = ''] of markup.matchAll(/\shref\s*=\s*["']([^"'#]+)/g))
    targets.add(resolveHref(file, href))
}
