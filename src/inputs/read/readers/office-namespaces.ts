import { type MarkupHandler, parseXml } from './parse-markup.ts'

/**
 * Parses a part of an Office or EPUB file. Elements and attributes have the usual prefix of their namespace
 * (`w:p`), even if the file uses another one. Names of an unknown namespace are left as they are written.
 */
export async function parseOfficeXml(
  content: string | AsyncIterable<string>,
  handler: MarkupHandler,
): Promise<void> {
  const names = createNames()
  await parseXml(content, {
    onOpen(name, attributes) {
      names.enter(attributes)
      handler.onOpen?.(names.rename(name), names.renameAttributes(attributes))
    },
    onText: (text) => handler.onText?.(text),
    onClose(name) {
      handler.onClose?.(names.rename(name))
      names.leave()
    },
  })
}

/** Keeps which prefix means which namespace. A stack for each prefix, so that deep nesting costs no copies. */
function createNames() {
  const bindings = new Map<string, string[]>()
  const declared: (string[] | undefined)[] = []
  const renamed = new Map<string, string>()
  let unusual = 0
  const isUnusual = (prefix: string, usual: string) => prefix !== '' && prefix !== usual
  const renameWith = (name: string, isAttribute: boolean) => {
    const colon = name.indexOf(':')
    const prefix = colon === -1 ? '' : name.slice(0, colon)
    const usual = prefix === '' && isAttribute ? '' : (bindings.get(prefix)?.at(-1) ?? prefix)
    const local = name.slice(colon + 1)
    return usual === prefix ? name : usual === '' ? local : `${usual}:${local}`
  }
  return {
    enter(attributes: Readonly<Record<string, string>>) {
      let prefixes: string[] | undefined
      for (const [name, uri] of Object.entries(attributes)) {
        if (!name.startsWith('xmlns') || (name.length > 5 && name[5] !== ':')) continue
        const prefix = name.slice(6)
        const usual = findUsualPrefix(uri) ?? prefix
        if (isUnusual(prefix, usual)) unusual++
        const bound = bindings.get(prefix)
        if (bound === undefined) bindings.set(prefix, [usual])
        else bound.push(usual)
        prefixes ??= []
        prefixes.push(prefix)
      }
      declared.push(prefixes)
      if (prefixes !== undefined) renamed.clear()
    },
    leave() {
      const prefixes = declared.pop()
      if (prefixes === undefined) return
      for (const prefix of prefixes) if (isUnusual(prefix, bindings.get(prefix)?.pop() ?? prefix)) unusual--
      renamed.clear()
    },
    rename(name: string): string {
      let found = renamed.get(name)
      if (found === undefined) {
        found = renameWith(name, false)
        renamed.set(name, found)
      }
      return found
    },
    renameAttributes(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
      if (unusual === 0) return attributes
      return Object.fromEntries(
        Object.entries(attributes).map(([name, value]) => [renameWith(name, true), value]),
      )
    },
  }
}

function findUsualPrefix(uri: string): string | undefined {
  return usualPrefixes.find(([pattern]) => pattern.test(uri))?.[1]
}

/** The namespaces of ECMA-376 (`/2006/`) and of its strict variant (`purl.oclc.org`). */
const usualPrefixes: readonly (readonly [RegExp, string])[] = [
  [/\/wordprocessingml\/(?:2006\/)?main$/, 'w'],
  [/\/officeDocument\/(?:2006\/)?math$/, 'm'],
  [/\/officeDocument\/(?:2006\/)?relationships$/, 'r'],
  [/\/markup-compatibility\/2006$/, 'mc'],
  [/\/office\/word\/2010\/wordml$/, 'w14'],
  [/\/drawingml\/(?:2006\/)?wordprocessingDrawing$/, 'wp'],
  [/\/drawingml\/(?:2006\/)?main$/, 'a'],
  [/\/drawingml\/(?:2006\/)?chart$/, 'c'],
  [/\/drawingml\/(?:2006\/)?diagram$/, 'dgm'],
  [/^urn:schemas-microsoft-com:vml$/, 'v'],
  [/^urn:schemas-microsoft-com:office:office$/, 'o'],
  [/\/package\/2006\/relationships$/, ''],
  [/^urn:oasis:names:tc:opendocument:xmlns:container$/, ''],
  [/^http:\/\/www\.idpf\.org\/2007\/opf$/, ''],
  [/^http:\/\/openebook\.org\/namespaces\/oeb-package\//, ''],
  [/^http:\/\/purl\.org\/dc\/elements\//, 'dc'],
  [/^http:\/\/www\.w3\.org\/2001\/04\/xmlenc#$/, 'enc'],
]
