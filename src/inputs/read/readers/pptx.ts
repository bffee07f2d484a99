import type { MarkedText } from '../../../core/document/mark.ts'
import { readRelations } from './office-relations.ts'
import { parseXml } from './parse-markup.ts'
import { createTextBuilder, type TextBuilder } from './text-builder.ts'
import { openZip, type Zip } from './zip.ts'

/**
 * Returns the text of a presentation, slide by slide in the order they are shown, with tables and speaker
 * notes.
 */
export async function extractPptxText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const presentation = 'ppt/presentation.xml'
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
    await addSlideText(zip, slide, text)
    for (const { type, target } of (await readRelations(zip, slide)).values()) {
      if (type !== 'notesSlide' || !zip.has(target)) continue
      const notes = createTextBuilder()
      await addSlideText(zip, target, notes)
      if (notes.size() === 0) continue
      text.addBreak(2)
      text.addVerbatim(`Notes: ${notes.toText().trim()}`)
    }
  }
  return text.toMarkedText()
}

/** Adds all paragraphs of a slide, without fields such as its number and date. */
async function addSlideText(zip: Zip, part: string, text: TextBuilder): Promise<void> {
  let [inText, inField, cells] = [false, false, 0]
  await parseXml(zip.streamPart(part), {
    onOpen(name) {
      if (name === 'a:p') text.addBreak(1)
      if (name === 'a:t') inText = true
      if (name === 'a:fld') inField = true
      if (name === 'a:br') text.addBreak(1)
      if (name === 'a:tr') {
        cells = 1
        text.startRow()
      }
      if (name === 'a:tc' && cells++ > 1) text.startCell()
    },
    onText(words) {
      if (inText && !inField) text.addWords(words)
    },
    onClose(name) {
      if (name === 'a:t') inText = false
      if (name === 'a:fld') inField = false
      if (name === 'a:tr') {
        cells = 0
        text.startRow()
      }
    },
  })
}
