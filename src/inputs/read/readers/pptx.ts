import type { MarkedText } from '../../../core/document/mark.ts'
import { addDrawingText } from './office-drawing.ts'
import { findMainPart, readRelations } from './office-relations.ts'
import { parseXml } from './parse-markup.ts'
import { createTextBuilder } from './text-builder.ts'
import { openZip } from './zip.ts'

/**
 * Returns the text of a presentation, slide by slide in the order they are shown, with tables, charts,
 * diagrams and speaker notes.
 */
export async function extractPptxText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const presentation = await findMainPart(zip, 'ppt/presentation.xml')
  const relations = await readRelations(zip, presentation)
  const ids: string[] = []
  await parseXml(zip.streamPart(presentation), {
    onOpen(name, { 'r:id': id }) {
      if (name === 'p:sldId' && id !== undefined) ids.push(id)
    },
  })
  const text = createTextBuilder()
  for (const [index, id] of ids.entries()) {
    const slide = relations.get(id)?.target
    if (slide === undefined || !zip.has(slide)) continue
    text.addBreak(2)
    text.markPosition('slide', String(index + 1))
    text.addMark('## ')
    text.addWords(`Slide ${index + 1}`)
    await addDrawingText(zip, slide, text)
    for (const { type, target } of (await readRelations(zip, slide)).values()) {
      if (type !== 'notesSlide' || !zip.has(target)) continue
      const notes = createTextBuilder()
      await addDrawingText(zip, target, notes)
      if (notes.size() === 0) continue
      text.addBreak(2)
      text.addVerbatim(`Notes: ${notes.toText().trim()}`)
    }
  }
  return text.toMarkedText()
}
