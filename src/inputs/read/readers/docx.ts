import type { MarkedText } from '../../../core/document/mark.ts'
import { readObjects } from './office-drawing.ts'
import { findMainPart, readRelations } from './office-relations.ts'
import { parseXml } from './parse-markup.ts'
import { UnreadableError } from './unreadable-error.ts'
import { readChunks } from './word/alt-chunks.ts'
import { joinStories } from './word/join-stories.ts'
import { createNotes, type NoteTexts } from './word/notes.ts'
import { readNotes, readStory } from './word/read-story.ts'
import { listShownParts } from './word/shown-parts.ts'
import { readWordLists, type WordList } from './word/word-numbering.ts'
import type { StoryContext } from './word/word-story.ts'
import { isOn, readWordStyles } from './word/word-styles.ts'
import { openZip, type Zip } from './zip.ts'

/**
 * Returns the text of a Word document: headings and lists with their numbers, tables, equations, fields, text
 * boxes, charts, diagrams and embedded documents, between the headers and the footnotes and footers. Comments, deleted text and
 * hidden text are left out.
 */
export async function extractDocxText(bytes: Uint8Array): Promise<MarkedText> {
  return readWordFile(bytes, 0)
}

/** @param depth number of documents around an embedded one */
async function readWordFile(bytes: Uint8Array, depth: number): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const main = await findMainPart(zip, 'word/document.xml')
  if (!zip.has(main)) throw new UnreadableError('malformed', `it has no ${main}`)
  const relations = await readRelations(zip, main)
  const partOf = (type: string) => [...relations.values()].find((relation) => relation.type === type)?.target
  const styles = await readWordStyles(zip, partOf('styles'))
  const lists = await readWordLists(zip, partOf('numbering'), styles)
  const readEmbedded = async (embedded: Buffer) => (await readWordFile(embedded, depth + 1)).text
  const chunks = depth < maxEmbedding ? await readChunks(zip, relations, readEmbedded) : new Map()
  const plain: StoryContext = { styles, chunks, objects: new Map(), numberNote: () => undefined }
  const noteParts = { footnote: partOf('footnotes'), endnote: partOf('endnotes') }
  const notes = createNotes(await readAllNotes(zip, noteParts, plain, lists))
  const objects = await readObjects(zip, main)
  const body = await readStory(zip.streamPart(main), { ...plain, objects, numberNote: notes.number }, lists)
  const hasEvenPages = await hasEvenAndOddHeaders(zip, partOf('settings'))
  const readEdges = async (kind: 'header' | 'footer') => {
    const texts: string[] = []
    for (const id of listShownParts(body.sections, kind, hasEvenPages)) {
      const part = relations.get(id)?.target
      if (part === undefined || !zip.has(part)) continue
      const context = { ...plain, objects: await readObjects(zip, part) }
      texts.push((await readStory(zip.streamPart(part), context, lists)).text)
    }
    return texts
  }
  return joinStories({
    headers: await readEdges('header'),
    body,
    notes: notes.toText(),
    footers: await readEdges('footer'),
  })
}

/** How deep embedded documents are nested at most; the content of deeper ones is left out. */
const maxEmbedding = 3

async function hasEvenAndOddHeaders(zip: Zip, part: string | undefined): Promise<boolean> {
  let found = false
  if (part === undefined || !zip.has(part)) return found
  await parseXml(zip.streamPart(part), {
    onOpen(name, { 'w:val': value }) {
      if (name === 'w:evenAndOddHeaders') found = isOn(value)
    },
  })
  return found
}

/** Reads the footnotes and endnotes. */
async function readAllNotes(
  zip: Zip,
  parts: Readonly<Record<'footnote' | 'endnote', string | undefined>>,
  context: StoryContext,
  lists: ReadonlyMap<string, WordList>,
): Promise<NoteTexts> {
  const read = async (kind: 'footnote' | 'endnote') => {
    const part = parts[kind]
    return part === undefined || !zip.has(part)
      ? new Map<string, string>()
      : readNotes(zip.streamPart(part), context, lists, `w:${kind}`)
  }
  return { footnote: await read('footnote'), endnote: await read('endnote') }
}
