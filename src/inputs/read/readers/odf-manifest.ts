import { getLocalName, parseXml } from './parse-markup.ts'
import { UnreadableError } from './unreadable-error.ts'
import type { Zip } from './zip.ts'

/**
 * Returns the folders of the charts in an OpenDocument file, such as `Object 1`.
 * @throws UnreadableError if the file is encrypted
 */
export async function listCharts(zip: Zip): Promise<readonly string[]> {
  const part = 'META-INF/manifest.xml'
  const charts: string[] = []
  if (!zip.has(part)) return charts
  let path = ''
  await parseXml(zip.streamPart(part), {
    onOpen(written, attributes) {
      const name = getLocalName(written)
      if (name === 'file-entry') {
        path = attributes['manifest:full-path'] ?? ''
        const type = attributes['manifest:media-type'] ?? ''
        if (type.endsWith('.opendocument.chart')) charts.push(path.replace(/\/$/, ''))
      }
      // A library of macros may have a password although the text has none.
      if (name === 'encryption-data' && /^(?:content\.xml|encrypted-package)$/.test(path))
        throw new UnreadableError('encrypted', 'it is protected by a password')
    },
  })
  return charts
}
