import { relationsOf } from './office-relations.ts'
import { type Paragraphs, paragraphs } from './paragraphs.ts'
import { readXml } from './parse-markup.ts'
import { openZip, type Zip } from './zip.ts'

/** The text of a presentation, slide by slide in the order they are shown, with tables and the speaker's notes. */
export async function pptxText(bytes: Uint8Array): Promise<string> {
  const zip = await openZip(bytes)
  const presentation = 'ppt/presentation.xml'
  const relations = await relationsOf(zip, presentation)
  const ids: string[] = []
  await readXml(zip.parts(presentation), {
    open(name, { 'r:id': id }) {
      if (name === 'p:sldId' && id !== undefined) ids.push(id)
    },
  })
  const text = paragraphs()
  for (const [index, id] of ids.entries()) {
    const slide = relations.get(id)?.target
    if (slide === undefined || !zip.has(slide)) continue
    text.break(2)
    text.mark('## ')
    text.words(`Slide ${index + 1}`)
    await shapes(zip, slide, text)
    for (const { type, target } of (await relationsOf(zip, slide)).values()) {
      if (type !== 'notesSlide' || !zip.has(target)) continue
      const notes = paragraphs()
      await shapes(zip, target, notes)
      if (notes.size() === 0) continue
      text.break(2)
      text.verbatim(`Notes: ${notes.text().trim()}`)
    }
  }
  return text.text()
}

/** All paragraphs of a slide; its number, date and the like are none. */
async function shapes(zip: Zip, part: string, text: Paragraphs): Promise<void> {
  let [inText, inField, cells] = [false, false, 0]
  await readXml(zip.parts(part), {
    open(name) {
      if (name === 'a:p') text.break(1)
      if (name === 'a:t') inText = true
      if (name === 'a:fld') inField = true
      if (name === 'a:br') text.break(1)
      if (name === 'a:tr') {
        cells = 1
        text.row()
      }
      if (name === 'a:tc' && cells++ > 1) text.cell()
    },
    text(words) {
      if (inText && !inField) text.words(words)
    },
    close(name) {
      if (name === 'a:t') inText = false
      if (name === 'a:fld') inField = false
      if (name === 'a:tr') {
        cells = 0
        text.row()
      }
    },
  })
}
