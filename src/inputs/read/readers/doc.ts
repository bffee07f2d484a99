import type { MarkedText } from '../../../core/document/mark.ts'
import { openCompoundFile } from './compound-file.ts'
import { readDocLists } from './doc/doc-lists.ts'
import { createDocParagraphs, type DocParagraphs } from './doc/doc-paragraphs.ts'
import { readDocStyles } from './doc/doc-styles.ts'
import { readPositionList } from './doc/position-list.ts'
import { openWordFile, type StoryName, storyNames, type WordFile } from './doc/word-file.ts'
import { joinStories } from './word/join-stories.ts'
import { createListLabels } from './word/list-labels.ts'
import { createNotes } from './word/notes.ts'
import { createParagraphWriter, type OldParagraph, type Piece } from './word/paragraph-writer.ts'
import { createStoryReader } from './word/read-story.ts'
import type { StoryContext } from './word/word-story.ts'

/**
 * Returns the text of a file of Word 97 to 2003: headings and lists with their numbers, tables, fields and text boxes,
 * between the headers and the footnotes and footers. Comments, deleted text and hidden text are left out.
 * @throws UnreadableError if it has a password, is older or is damaged
 */
export async function extractDocText(bytes: Buffer): Promise<MarkedText> {
  const file = openWordFile(openCompoundFile(bytes))
  const styles = readDocStyles(file.findPart('styles'))
  const lists = readDocLists(file)
  const paragraphs = createDocParagraphs(file, styles)
  const plain: StoryContext = { styles, chunks: new Map(), objects: new Map(), numberNote: () => undefined }
  const write = (content: readonly OldParagraph[], context: StoryContext): MarkedText => {
    const reader = createStoryReader(context, createListLabels(lists))
    const writer = createParagraphWriter(reader)
    for (const paragraph of content) writer.add(paragraph)
    writer.finish()
    return reader.finish()
  }
  const starts = locateStories(file)
  const readTexts = (story: StoryName, list: Buffer, recordBytes: number) =>
    listRanges(list, recordBytes, starts[story], file.lengths[story]).map(
      ([start, end]) => write(paragraphs.read(start, end), plain).text,
    )
  const anchors = new Map<number, Piece>([
    ...listNotes('footnote', file.findPart('footnoteReferences')),
    ...listNotes('endnote', file.findPart('endnoteReferences')),
    ...listBoxes(file, paragraphs, starts.boxes),
  ])
  const notes = createNotes({
    footnote: byIndex(readTexts('footnotes', file.findPart('footnoteTexts'), 0)),
    endnote: byIndex(readTexts('endnotes', file.findPart('endnoteTexts'), 0)),
  })
  const body = write(paragraphs.read(0, file.lengths.body, anchors), { ...plain, numberNote: notes.number })
  // The first six are lines above footnotes and endnotes.
  const edges = readTexts('headers', file.findPart('headerTexts'), 0).slice(6)
  const isFooter = (_: string, index: number) => [2, 3, 5].includes(index % 6)
  return joinStories({
    headers: edges.filter((text, index) => !isFooter(text, index)),
    body,
    notes: notes.toText(),
    footers: edges.filter(isFooter),
  })
}

/** Returns the position in the text at which each story begins. */
function locateStories({ lengths }: WordFile): Readonly<Record<StoryName, number>> {
  let at = 0
  const starts = storyNames.map((name) => {
    at += lengths[name]
    return [name, at - lengths[name]] as const
  })
  return Object.fromEntries(starts) as Record<StoryName, number>
}

/** Returns the ranges of the text that a list in a story names. */
function listRanges(
  list: Buffer,
  recordBytes: number,
  start: number,
  length: number,
): readonly (readonly [number, number])[] {
  const ranges = readPositionList(list, recordBytes)
  return Array.from({ length: ranges.length }, (_, n) => [
    start + Math.min(length, ranges.position(n)),
    start + Math.min(length, ranges.position(n + 1)),
  ])
}

function byIndex(texts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(texts.map((text, index) => [String(index), text]))
}

function listNotes(kind: 'footnote' | 'endnote', list: Buffer): readonly (readonly [number, Piece])[] {
  const references = readPositionList(list, 2)
  return Array.from({ length: references.length }, (_, n) => [
    references.position(n),
    { element: `w:${kind}Reference`, attributes: { 'w:id': String(n) } },
  ])
}

const [boxBytes, shapeBytes] = [22, 26]

/** Returns the text boxes by the positions of the shapes that contain them. */
function listBoxes(
  file: WordFile,
  paragraphs: DocParagraphs,
  start: number,
): readonly (readonly [number, Piece])[] {
  const texts = readPositionList(file.findPart('boxTexts'), boxBytes)
  const ranges = listRanges(file.findPart('boxTexts'), boxBytes, start, file.lengths.boxes)
  const textByShape = new Map<number, number>()
  for (let n = 0; n < texts.length; n++) {
    const record = texts.record(n)
    // Records of text boxes that were deleted are kept for new ones.
    if (record.readUInt16LE(8) === 0) textByShape.set(record.readInt32LE(14), n)
  }
  const shapes = readPositionList(file.findPart('shapes'), shapeBytes)
  return Array.from({ length: shapes.length }, (_, n) => {
    const [boxStart, boxEnd] = ranges[textByShape.get(shapes.record(n).readInt32LE(0)) ?? -1] ?? [0, 0]
    return [shapes.position(n), { box: paragraphs.read(boxStart, boxEnd) }]
  })
}
