import { decodeMarkup } from './decode-markup.ts'
import { readEpubPackage, resolveHref } from './epub-package.ts'
import { extractHtmlText } from './html-reader.ts'
import { hasWords } from './picture-documents.ts'
import { checkTextLength } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'
import { openZip } from './zip.ts'

/**
 * Returns the title, the author and the text of a book: the chapters in reading order, then the documents
 * that they link to, such as notes. Nothing if no chapter has words.
 */
export async function extractEpubText(bytes: Uint8Array): Promise<string> {
  const zip = await openZip(bytes)
  const { title, author, chapters, linked, encrypted } = await readEpubPackage(zip)
  if (chapters.some((file) => encrypted.has(file)))
    throw new UnreadableError('encrypted', 'it is protected against copying (DRM)')
  const texts: string[] = []
  const targets = new Set<string>()
  let length = 0
  const read = async (file: string) => {
    if (!zip.has(file)) return
    const markup = decodeMarkup(await zip.readBytes(file))
    // Some books declare images and fonts as chapters.
    if (!/^\s*</.test(markup)) return
    if (linked.length > 0) collectTargets(markup, file, targets)
    const text = await extractHtmlText(markup, { xml: true, title: false })
    length += text.length
    checkTextLength(length)
    if (text !== '') texts.push(text)
  }
  for (const file of chapters) await read(file)
  for (const file of linked) if (targets.has(file)) await read(file)
  const text = texts.join('\n\n')
  if (title === '' || !hasWords(text)) return text
  return `# ${title}${author === '' ? '' : `\n\nby ${author}`}\n\n${text}`
}

/** Collects the files that a chapter links to. */
function collectTargets(markup: string, file: string, targets: Set<string>): void {
  for (const [, href = ''] of markup.matchAll(/\shref\s*=\s*["']([^"'#]+)/g))
    targets.add(resolveHref(file, href))
}
