/**
 * Returns a function that rewrites the qualified names of an XML document to fixed prefixes, because a program
 * may choose any prefix: `<x:row>` and `<row>` in the spreadsheet namespace both become `row`, and `<d:t>` in
 * the drawing namespace becomes `a:t`. Names of other namespaces stay as they are written.
 */
export function createNameResolver(): NameResolver {
  // The innermost declaration of each prefix is last.
  const scopes = new Map<string, string[]>()
  const declaredPrefixes: (readonly string[] | undefined)[] = []
  const rename = (name: string, isAttribute: boolean): string => {
    const colon = name.indexOf(':')
    if (colon === -1 && isAttribute) return name
    const fixed = scopes.get(colon === -1 ? '' : name.slice(0, colon))?.at(-1)
    if (fixed === undefined) return name
    const local = name.slice(colon + 1)
    return fixed === '' ? local : `${fixed}:${local}`
  }
  return {
    enter(name, attributes) {
      const keys = Object.keys(attributes)
      const declared = keys.filter((key) => key === 'xmlns' || key.startsWith('xmlns:'))
      for (const key of declared) {
        const prefix = key.slice('xmlns:'.length)
        const scope = scopes.get(prefix) ?? []
        scope.push(findFixedPrefix(attributes[key] ?? '') ?? prefix)
        scopes.set(prefix, scope)
      }
      declaredPrefixes.push(declared.length === 0 ? undefined : declared)
      const hasPrefix = keys.some((key) => key.includes(':'))
      return {
        name: rename(name, false),
        attributes: hasPrefix
          ? Object.fromEntries(keys.map((key) => [rename(key, true), attributes[key] ?? '']))
          : attributes,
      }
    },
    leave(name) {
      const renamed = rename(name, false)
      for (const key of declaredPrefixes.pop() ?? []) scopes.get(key.slice('xmlns:'.length))?.pop()
      return renamed
    },
  }
}

/** Renames the elements of a document; call both functions for each element, in the order of the document. */
interface NameResolver {
  /** Returns the name and the attributes of an element that begins. */
  enter(
    name: string,
    attributes: Readonly<Record<string, string>>,
  ): { readonly name: string; readonly attributes: Readonly<Record<string, string>> }
  /** Returns the name of the element that ends. */
  leave(name: string): string
}

/** Returns the prefix that readers use for a namespace; undefined for other namespaces. */
function findFixedPrefix(uri: string): string | undefined {
  const openDocument = /^urn:oasis:names:tc:opendocument:xmlns:([\w-]{1,40}):\d/.exec(uri)?.[1]
  if (openDocument !== undefined)
    return openDocumentPrefixes.get(openDocument) ?? openDocument.replace(/-compatible$/, '')
  // The strict form of Office Open XML has other addresses with the same ends.
  const office = /^http:\/\/(?:schemas\.openxmlformats\.org|purl\.oclc\.org\/ooxml)\/([\w/]{1,80})$/.exec(
    uri,
  )?.[1]
  return office === undefined ? prefixes.get(uri) : officePrefixes.get(office.replace(/\/2006\b/, ''))
}

/** The usual prefixes of OpenDocument that are not the names of their namespaces. */
const openDocumentPrefixes: ReadonlyMap<string, string> = new Map([
  ['drawing', 'draw'],
  ['datastyle', 'number'],
  ['animation', 'anim'],
  ['xsl-fo-compatible', 'fo'],
])

const officePrefixes: ReadonlyMap<string, string> = new Map([
  ['spreadsheetml/main', ''],
  ['presentationml/main', 'p'],
  ['wordprocessingml/main', 'w'],
  ['drawingml/main', 'a'],
  ['drawingml/chart', 'c'],
  ['drawingml/diagram', 'dgm'],
  ['drawingml/spreadsheetDrawing', 'xdr'],
  ['drawingml/wordprocessingDrawing', 'wp'],
  ['officeDocument/relationships', 'r'],
  ['officeDocument/math', 'm'],
  ['package/relationships', ''],
  ['markup-compatibility', 'mc'],
])

const prefixes: ReadonlyMap<string, string> = new Map([
  ['http://schemas.microsoft.com/office/word/2010/wordml', 'w14'],
  ['urn:schemas-microsoft-com:vml', 'v'],
  ['urn:schemas-microsoft-com:office:office', 'o'],
  ['urn:oasis:names:tc:opendocument:xmlns:container', ''],
  ['http://openebook.org/namespaces/oeb-package/1.0/', ''],
  ['http://www.w3.org/2001/04/xmlenc#', 'enc'],
  ['http://purl.org/dc/elements/1.0/', 'dc'],
  ['http://schemas.microsoft.com/office/drawing/2014/chartex', 'cx'],
  ['http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments', ''],
  ['http://www.w3.org/1999/xlink', 'xlink'],
  ['http://www.w3.org/1999/xhtml', ''],
  ['http://www.w3.org/2000/svg', ''],
  ['http://www.w3.org/1998/Math/MathML', ''],
  ['http://www.idpf.org/2007/opf', ''],
  ['http://www.idpf.org/2007/ops', 'epub'],
  ['http://purl.org/dc/elements/1.1/', 'dc'],
])
