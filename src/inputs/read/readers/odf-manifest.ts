import { getLocalName, parseXml } from './parse-markup.ts'
import { UnreadableError } from './unreadable-error.ts'
import type { Zip } from './zip.ts'

/** The folders of the objects in an OpenDocument file, such as `Object 1`. */
interface OdfObjects {
  readonly charts: readonly string[]
  readonly formulas: readonly string[]
}

/**
 * Returns the folders of the charts and formulas in an OpenDocument file.
 * @throws UnreadableError if the file is encrypted
 */
export async function listObjects(zip: Zip): Promise<OdfObjects> {
  const part = 'META-INF/manifest.xml'
  const [charts, formulas]: [string[], string[]] = [[], []]
  if (!zip.has(part)) return { charts, formulas }
  let path = ''
  await parseXml(zip.streamPart(part), {
    onOpen(written, attributes) {
      const name = getLocalName(written)
      if (name === 'file-entry') {
        path = attributes['manifest:full-path'] ?? ''
        const type = attributes['manifest:media-type'] ?? ''
        const folder = path.replace(/\/$/, '')
        if (type.endsWith('.opendocument.chart')) charts.push(folder)
        if (type.endsWith('.opendocument.formula')) formulas.push(folder)
      }
      // A library of macros may have a password although the text has none.
      if (name === 'encryption-data' && /^(?:content\.xml|encrypted-package)$/.test(path))
        throw new UnreadableError('encrypted', 'it is protected by a password')
    },
  })
  return { charts, formulas }
}
