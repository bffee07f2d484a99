import { posix } from 'node:path'
import { htmlText } from './html.ts'
import { checkLength } from './limits.ts'
import { readXml } from './parse-markup.ts'
import { Unreadable } from './unreadable.ts'
import { openZip } from './zip.ts'

/** The text of a book, chapter by chapter as it is to be read; its title and author come first. */
export async function epubText(bytes: Uint8Array): Promise<string> {
  const zip = await openZip(bytes)
  if (zip.has('META-INF/rights.xml'))
    throw new Unreadable('encrypted', 'it is protected against copying (DRM)')
  let book = ''
  await readXml(zip.parts('META-INF/container.xml'), {
    open(name, attributes) {
      if (name === 'rootfile' && book === '') book = attributes['full-path'] ?? ''
    },
  })
  const files = new Map<string, string>()
  const order: string[] = []
  const about: Record<'dc:title' | 'dc:creator', string> = { 'dc:title': '', 'dc:creator': '' }
  let field: keyof typeof about | undefined
  await readXml(zip.parts(book), {
    open(name, { id = '', href = '', idref = '', linear, properties = '' }) {
      const bare = name.replace(/^opf:/, '')
      if (bare === 'item' && !/\bnav\b/.test(properties))
        files.set(id, posix.join(posix.dirname(book), uriDecoded(href)))
      if (bare === 'itemref' && linear !== 'no') order.push(idref)
      // The first of each: there may be a subtitle, translators and illustrators.
      field = (name === 'dc:title' || name === 'dc:creator') && about[name] === '' ? name : undefined
    },
    text(text) {
      if (field !== undefined) about[field] += text
    },
    close() {
      field = undefined
    },
  })
  const [title, author] = [about['dc:title'].trim(), about['dc:creator'].trim()]
  const texts = title === '' ? [] : [`# ${title}${author === '' ? '' : `\n\nby ${author}`}`]
  let length = 0
  for (const id of order) {
    const file = files.get(id)
    if (file === undefined || !zip.has(file)) continue
    const text = await htmlText(zip.parts(file), { xml: true, title: false })
    length += text.length
    checkLength(length)
    if (text !== '') texts.push(text)
  }
  return texts.join('\n\n')
}

function uriDecoded(href: string): string {
  try {
    return decodeURIComponent(href)
  } catch {
    return href
  }
}
