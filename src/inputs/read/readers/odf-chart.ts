import { createOdfTables } from './odf-tables.ts'
import { parseXml } from './parse-markup.ts'
import type { TextBuilder } from './text-builder.ts'

/** Adds the text of a chart of an OpenDocument file: titles, and the table of its values. */
export async function addOdfChart(content: AsyncIterable<string>, text: TextBuilder): Promise<void> {
  const [titles, axisTitles]: [string[], string[]] = [[], []]
  const tables = createOdfTables(text)
  let [inAxis, title, paragraphDepth, hasTitles]: [boolean, string | undefined, number, boolean] = [
    false,
    undefined,
    0,
    false,
  ]
  const addTitles = () => {
    if (hasTitles) return
    hasTitles = true
    if (titles.length > 0) text.addWords(`Chart: ${titles.join(', ')}`)
    text.addBreak(1)
    if (axisTitles.length > 0) text.addWords(`Axes: ${axisTitles.join(', ')}`)
    text.addBreak(1)
  }
  await parseXml(content, {
    onOpen(name, attributes) {
      if (name === 'chart:axis') inAxis = true
      if (name === 'chart:title' || name === 'chart:subtitle') title = ''
      // The table follows the titles.
      if (name === 'table:table') addTitles()
      tables.open(name, attributes)
      if (name === 'text:p') paragraphDepth++
    },
    onText(words) {
      if (paragraphDepth === 0) return
      if (title !== undefined) title += words
      else if (tables.isInCell()) tables.addWords(words)
    },
    onClose(name) {
      if (name === 'text:p') paragraphDepth--
      tables.close(name)
      if (name === 'chart:axis') inAxis = false
      if (name !== 'chart:title' && name !== 'chart:subtitle') return
      const words = title?.replace(/\s+/g, ' ').trim() ?? ''
      if (words !== '') (inAxis ? axisTitles : titles).push(words)
      title = undefined
    },
  })
  addTitles()
}
