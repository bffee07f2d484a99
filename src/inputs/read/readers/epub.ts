import { posix } from 'node:path'
import { joinMarked, type MarkedPart, type MarkedText } from '../../../core/document/mark.ts'
import { extractMarkedHtml } from './html-reader.ts'
import { parseXml } from './parse-markup.ts'
import { checkTextLength } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'
import { openZip } from './zip.ts'

/**
 * Returns the title, the author and the text of a book, with the chapters in reading order. The number of a
 * chapter is that of its file in this order.
 */
export async function extractEpubText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  if (zip.has('META-INF/rights.xml'))
    throw new UnreadableError('encrypted', 'it is protected against copying (DRM)')
  let packageFile = ''
  await parseXml(zip.streamPart('META-INF/container.xml'), {
    onOpen(name, attributes) {
      if (name === 'rootfile' && packageFile === '') packageFile = attributes['full-path'] ?? ''
    },
  })
  const files = new Map<string, string>()
  const order: string[] = []
  const metadata: Record<'dc:title' | 'dc:creator', string> = { 'dc:title': '', 'dc:creator': '' }
  let field: keyof typeof metadata | undefined
  await parseXml(zip.streamPart(packageFile), {
    onOpen(name, { id = '', href = '', idref = '', linear, properties = '' }) {
      const bare = name.replace(/^opf:/, '')
      if (bare === 'item' && !/\bnav\b/.test(properties))
        files.set(id, posix.join(posix.dirname(packageFile), decodeUri(href)))
      if (bare === 'itemref' && linear !== 'no') order.push(idref)
      // Only the first of each: others are subtitles, translators and illustrators.
      field = (name === 'dc:title' || name === 'dc:creator') && metadata[name] === '' ? name : undefined
    },
    onText(text) {
      if (field !== undefined) metadata[field] += text
    },
    onClose() {
      field = undefined
    },
  })
  const [title, author] = [metadata['dc:title'].trim(), metadata['dc:creator'].trim()]
  const parts: MarkedPart[] = []
  if (title !== '') parts.push({ text: `# ${title}${author === '' ? '' : `\n\nby ${author}`}` })
  let length = 0
  for (const [index, id] of order.entries()) {
    const file = files.get(id)
    if (file === undefined || !zip.has(file)) continue
    const chapter = await extractMarkedHtml(zip.streamPart(file), { xml: true, title: false })
    length += chapter.text.length
    checkTextLength(length)
    parts.push({ ...chapter, kind: 'chapter', label: String(index + 1) })
  }
  return joinMarked(parts, '\n\n')
}

function decodeUri(href: string): string {
  try {
    return decodeURIComponent(href)
  } catch {
    return href
  }
}
