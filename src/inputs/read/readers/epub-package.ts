import { posix } from 'node:path'
import { parseOfficeXml } from './office-namespaces.ts'
import { UnreadableError } from './unreadable-error.ts'
import type { Zip } from './zip.ts'

/** What the package of a book says about it; files are names in the archive. */
export interface EpubPackage {
  readonly title: string
  readonly author: string
  /** The texts in reading order. */
  readonly chapters: readonly string[]
  /** Texts outside the reading order, which readers see only if they follow a link. */
  readonly linked: readonly string[]
  /** Encrypted files, except for fonts. */
  readonly encrypted: ReadonlySet<string>
}

interface Item {
  readonly file: string
  readonly mediaType: string
  readonly isNavigation: boolean
  /** The id of an item that can be read instead. */
  readonly fallback: string | undefined
}

/** Reads the package of a book. @throws UnreadableError if the book is protected against copying */
export async function readEpubPackage(zip: Zip): Promise<EpubPackage> {
  if (zip.has('META-INF/rights.xml'))
    throw new UnreadableError('encrypted', 'it is protected against copying (DRM)')
  const packageFile = await findPackageFile(zip)
  const items = new Map<string, Item>()
  const spine: { readonly id: string; readonly isLinear: boolean }[] = []
  const metadata = { title: '', creator: '' }
  let field: keyof typeof metadata | undefined
  await parseOfficeXml(zip.streamPart(packageFile), {
    onOpen(name, attributes) {
      const { id = '', href = '', idref = '', linear, properties = '', fallback } = attributes
      if (name === 'item')
        items.set(id, {
          file: resolveHref(packageFile, href),
          mediaType: attributes['media-type'] ?? '',
          isNavigation: /\bnav\b/.test(properties),
          fallback,
        })
      if (name === 'itemref') spine.push({ id: idref, isLinear: linear !== 'no' })
      // Only the first of each: others are subtitles, translators and illustrators.
      const found = /^dc:(title|creator)$/i.exec(name)?.[1]?.toLowerCase() as
        | keyof typeof metadata
        | undefined
      field = found !== undefined && metadata[found].trim() === '' ? found : undefined
    },
    onText(text) {
      if (field !== undefined) metadata[field] += text
    },
    onClose() {
      field = undefined
    },
  })
  const list = (linear: boolean) => {
    const files = spine
      .filter(({ isLinear }) => isLinear === linear)
      .flatMap(({ id }) => findTextFile(items, id) ?? [])
    return [...new Set(files)]
  }
  return {
    title: metadata.title.replace(/\s+/g, ' ').trim(),
    author: metadata.creator.replace(/\s+/g, ' ').trim(),
    chapters: list(true),
    linked: list(false),
    encrypted: await listEncryptedFiles(zip),
  }
}

/** Returns the file of an item, or of its first fallback that is text; undefined if no item is text. */
function findTextFile(items: ReadonlyMap<string, Item>, id: string): string | undefined {
  const seen = new Set<string>()
  for (let at: string | undefined = id; at !== undefined && !seen.has(at); at = items.get(at)?.fallback) {
    seen.add(at)
    const item = items.get(at)
    if (item?.isNavigation) return undefined
    if (item !== undefined && isText(item)) return item.file
  }
  return undefined
}

/** Besides XHTML, older books have HTML, OEB documents and DTBook (talking books). */
function isText({ file, mediaType }: Item): boolean {
  return (
    /^(?:application\/xhtml\+xml|text\/(?:html|xml|x-oeb1-document)|application\/(?:xml|x-dtbook\+xml))$/i.test(
      mediaType.replace(/;.*/, '').trim(),
    ) ||
    (/^(?:|application\/octet-stream|text\/plain)$/i.test(mediaType) && /\.(?:x?html?|xml)$/i.test(file))
  )
}

async function findPackageFile(zip: Zip): Promise<string> {
  let packageFile = ''
  await parseOfficeXml(zip.streamPart('META-INF/container.xml'), {
    onOpen(name, { 'full-path': path }) {
      if (name === 'rootfile' && packageFile === '' && path !== undefined) packageFile = posix.join('.', path)
    },
  })
  return zip.has(packageFile) ? packageFile : resolveHref('', packageFile)
}

async function listEncryptedFiles(zip: Zip): Promise<ReadonlySet<string>> {
  const files = new Set<string>()
  if (!zip.has('META-INF/encryption.xml')) return files
  let isFontMangling = false
  await parseOfficeXml(zip.streamPart('META-INF/encryption.xml'), {
    onOpen(name, { Algorithm = '', URI = '' }) {
      if (name === 'enc:EncryptedData') isFontMangling = false
      // Fonts are obfuscated in books that anybody may read.
      if (name === 'enc:EncryptionMethod') isFontMangling = /idpf\.org|ns\.adobe\.com/.test(Algorithm)
      if (name === 'enc:CipherReference' && !isFontMangling) files.add(resolveHref('', URI))
    },
  })
  return files
}

/** Returns the name in the archive to which a file refers. */
export function resolveHref(from: string, href: string): string {
  const path = href.replace(/#.*$/, '')
  const folder = posix.dirname(from)
  try {
    return posix.join(folder, decodeURIComponent(path))
  } catch {
    return posix.join(folder, path)
  }
}
