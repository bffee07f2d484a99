import {
  decodePDFRawStream,
  PDFArray,
  PDFDict,
  PDFName,
  type PDFPageLeaf,
  PDFRawStream,
  PDFStream,
} from '@cantoo/pdf-lib'

/**
 * Removes from the pages of a PDF what does not change how they look but leads to other pages, so that a copy
 * of some pages is not a copy of the whole PDF: targets of links, and images and fonts of other pages in
 * resources that pages share.
 */
export function prunePdfPages(pages: readonly PDFPageLeaf[]): void {
  for (const page of pages) removeReferences(page)
  const shared = countUses(pages)
  for (const page of pages) pruneResources(page, (category) => (shared.get(category) ?? 0) > 1)
}

function removeReferences(page: PDFPageLeaf): void {
  for (const key of ['B', 'AA', 'StructParents', 'PieceInfo', 'Thumb']) page.delete(PDFName.of(key))
  const annotations = page.lookup(PDFName.of('Annots'))
  if (!(annotations instanceof PDFArray)) return
  const visible = annotations.asArray().filter((item) => {
    const annotation = page.context.lookup(item)
    return annotation instanceof PDFDict && annotation.get(PDFName.of('Subtype')) !== PDFName.of('Popup')
  })
  for (const item of visible) {
    const annotation = page.context.lookup(item, PDFDict)
    const field = annotation.lookup(PDFName.of('Parent'))
    // The type of a field may be that of the field around it.
    const type = field instanceof PDFDict ? field.get(PDFName.of('FT')) : undefined
    if (type !== undefined && !annotation.has(PDFName.of('FT'))) annotation.set(PDFName.of('FT'), type)
    for (const key of ['Dest', 'A', 'AA', 'P', 'Parent', 'Popup', 'IRT', 'StructParent'])
      annotation.delete(PDFName.of(key))
  }
  page.set(PDFName.of('Annots'), page.context.obj(visible))
}

/** The categories of resources that may be large. */
const largeCategories = ['XObject', 'Font', 'Pattern', 'Shading'] as const

/** Returns how many pages use the same dictionary of a category. */
function countUses(pages: readonly PDFPageLeaf[]): Map<PDFDict, number> {
  const uses = new Map<PDFDict, number>()
  for (const page of pages)
    for (const { entries } of listCategories(page)) uses.set(entries, (uses.get(entries) ?? 0) + 1)
  return uses
}

function listCategories(page: PDFPageLeaf) {
  const resources = page.Resources()
  return largeCategories.flatMap((name) => {
    const entries = resources?.lookup(PDFName.of(name))
    return entries instanceof PDFDict ? [{ name: PDFName.of(name), entries }] : []
  })
}

/** Removes the entries of shared categories that the page does not name. */
function pruneResources(page: PDFPageLeaf, isShared: (category: PDFDict) => boolean): void {
  const categories = listCategories(page).filter(({ entries }) => isShared(entries))
  const resources = page.Resources()
  if (categories.length === 0 || resources === undefined) return
  const content = readContent(page)
  if (content === undefined) return
  const names = new Set(
    [...content.matchAll(/\/([^\s\0()<>[\]{}/%]+)/g)].map(([, name]) => PDFName.of(name as string)),
  )
  const pruned = resources.clone()
  for (const { name, entries } of categories) {
    const used = [...names].flatMap((key) => {
      const value = entries.get(key)
      return value === undefined ? [] : [[key, value] as const]
    })
    for (const [key] of used) {
      const resource = entries.lookup(key)
      const description = resource instanceof PDFStream ? resource.dict : resource
      const mayNameResources =
        description instanceof PDFDict &&
        ['Form', 'Type3'].some((type) => description.get(PDFName.of('Subtype')) === PDFName.of(type))
      // Such a form or font uses the resources of the page.
      if (mayNameResources && !description.has(PDFName.of('Resources'))) return
    }
    const kept = page.context.obj({})
    for (const [key, value] of used) kept.set(key, value)
    pruned.set(name, kept)
  }
  page.set(PDFName.of('Resources'), pruned)
}

/** Returns the operators of a page; undefined if they are long, or compressed in an unknown way. */
function readContent(page: PDFPageLeaf): string | undefined {
  const contents = page.Contents()
  const parts =
    contents instanceof PDFArray ? contents.asArray().map((part) => page.context.lookup(part)) : [contents]
  const streams = parts.filter((part) => part instanceof PDFStream)
  if (streams.reduce((size, stream) => size + stream.getContentsSize(), 0) > maxContentBytes) return undefined
  try {
    const texts = streams.map((stream) => {
      if (!(stream instanceof PDFRawStream)) throw new Error('not a stream of a file')
      const filter = stream.dict.lookup(PDFName.of('Filter'))
      const filters = filter instanceof PDFArray ? filter.asArray() : [filter]
      // Compressed several times, a few bytes could unpack to any size.
      if (filters.filter((name) => !String(name).startsWith('/ASCII')).length > 1)
        throw new Error('compressed several times')
      return Buffer.from(decodePDFRawStream(stream).decode()).toString('latin1')
    })
    return texts.join('\n')
  } catch {
    return undefined
  }
}

/** The operators of a scanned page are much shorter. Unpacked, they have at most a thousand times as many bytes. */
const maxContentBytes = 64_000
