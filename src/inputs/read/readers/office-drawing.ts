import { addChartText } from './office-chart.ts'
import { readRelations } from './office-relations.ts'
import { parseXml } from './parse-markup.ts'
import { createTextBuilder, type TextBuilder } from './text-builder.ts'
import type { Zip } from './zip.ts'

/**
 * Adds the text of a slide or a drawing in its order: paragraphs, tables, charts and the words of diagrams
 * (SmartArt). Fields such as the number of the slide, and cells that are merged into others, are left out.
 */
export async function addDrawingText(zip: Zip, part: string, text: TextBuilder): Promise<void> {
  const objects = await readObjects(zip, part)
  let [inText, hiddenDepth] = [false, 0]
  await parseXml(zip.streamPart(part), {
    onOpen(name, attributes) {
      if (hiddenDepth > 0 || isHidden(name, attributes)) hiddenDepth++
      if (name === 'a:tbl') text.startTable()
      if (name === 'a:tr') text.startRow()
      if (name === 'a:tc') text.startCell()
      if (hiddenDepth > 0) return
      if (name === 'a:p' || name === 'a:br') text.addBreak(1)
      if (name === 'a:t' || name === 'm:t') inText = true
      const object = objects.get(attributes[referenceByTag.get(name) ?? ''] ?? '')
      if (object === undefined) return
      text.addBreak(2)
      text.addVerbatim(object)
      text.addBreak(2)
    },
    onText(words) {
      if (inText && hiddenDepth === 0) text.addWords(words)
    },
    onClose(name) {
      inText = false
      if (name === 'a:tc') text.endCell()
      if (name === 'a:tr') text.endRow()
      if (name === 'a:tbl') text.endTable()
      if (hiddenDepth > 0) hiddenDepth--
    },
  })
}

/** The attributes that refer to an object in another part, by tag. */
export const referenceByTag: ReadonlyMap<string, string> = new Map([
  ['c:chart', 'r:id'],
  ['cx:chart', 'r:id'],
  ['dgm:relIds', 'r:dm'],
])

function isHidden(name: string, attributes: Readonly<Record<string, string>>): boolean {
  if (name === 'a:tc') return isTrue(attributes['hMerge']) || isTrue(attributes['vMerge'])
  // The fallback repeats, for older programs, what is next to it.
  return (
    name === 'mc:Fallback' || (name === 'a:fld' && /^(?:slidenum|datetime)/.test(attributes['type'] ?? ''))
  )
}

function isTrue(value: string | undefined): boolean {
  return value === '1' || value === 'true'
}

/** Returns the texts of the charts and diagrams that a part refers to, by the ids of their relations. */
export async function readObjects(zip: Zip, part: string): Promise<ReadonlyMap<string, string>> {
  const objects = new Map<string, string>()
  for (const [id, { type, target }] of await readRelations(zip, part)) {
    if (!zip.has(target)) continue
    const text = createTextBuilder()
    if (type === 'chart' || type === 'chartEx') await addChartText(zip.streamPart(target), text)
    if (type === 'diagramData') await addDiagramText(zip, target, text)
    if (text.size() > 0) objects.set(id, text.toText())
  }
  return objects
}

async function addDiagramText(zip: Zip, part: string, text: TextBuilder): Promise<void> {
  let inText = false
  await parseXml(zip.streamPart(part), {
    onOpen(name) {
      if (name === 'a:p' || name === 'a:br') text.addBreak(1)
      if (name === 'a:t') inText = true
    },
    onText(words) {
      if (inText) text.addWords(words)
    },
    onClose() {
      inText = false
    },
  })
}
