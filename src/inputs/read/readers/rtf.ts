import type { MarkedText } from '../../../core/document/mark.ts'
import { extractMarkedHtml } from './html-reader.ts'
import { type RtfContent, readRtfDocument } from './rtf/rtf-document.ts'
import { UnreadableError } from './unreadable-error.ts'
import { joinStories } from './word/join-stories.ts'
import type { ListLabels } from './word/list-labels.ts'
import { createNotes, type NoteTexts } from './word/notes.ts'
import { createParagraphWriter, type OldParagraph } from './word/paragraph-writer.ts'
import { createStoryReader } from './word/read-story.ts'
import type { StoryContext } from './word/word-story.ts'

/**
 * Returns the text of an RTF file: headings and lists with their numbers, tables, form fields and text boxes, between
 * the headers and the footnotes and footers. Comments, deleted text and hidden text are left out. A mail that Outlook
 * has put into RTF is read as the HTML or text that it was.
 * @throws UnreadableError for too many nested groups, for more text than any model can read, or if it is cut off
 */
export async function extractRtfText(bytes: Buffer): Promise<MarkedText> {
  const content = readContent(bytes)
  if (isCutOff(content, bytes))
    throw new UnreadableError('malformed', 'the file is incomplete; download or copy it again')
  if (content.original === 'html') return extractMarkedHtml(content.originalText)
  return content.original === 'text'
    ? { text: content.originalText.trim(), marks: [] }
    : writeContent(content)
}

/** Whether a file ends inside a group. Some programs leave out the last brace, after that of another group. */
function isCutOff({ openGroups }: Content, bytes: Buffer): boolean {
  return (
    openGroups > 1 || (openGroups === 1 && !/\}[\s\0]*$/.test(bytes.toString('latin1', bytes.length - 100)))
  )
}

/** Returns the text or the HTML of a mail that Outlook has put into RTF. @throws UnreadableError as above */
export function readRtfMail(bytes: Buffer): {
  readonly type: 'text/plain' | 'text/html'
  readonly text: string
} {
  const content = readContent(bytes)
  if (content.original === 'html') return { type: 'text/html', text: content.originalText }
  const text = content.original === 'text' ? content.originalText : writeContent(content).text
  return { type: 'text/plain', text }
}

interface Content extends RtfContent {
  readonly body: readonly OldParagraph[]
  readonly headers: readonly (readonly OldParagraph[])[]
  readonly footers: readonly (readonly OldParagraph[])[]
  readonly notes: ReadonlyMap<string, readonly OldParagraph[]>
  readonly originalText: string
}

function readContent(bytes: Buffer): Content {
  const body: OldParagraph[] = []
  const originals: string[] = []
  const edges: Record<'header' | 'footer', (readonly OldParagraph[])[]> = { header: [], footer: [] }
  const notes = new Map<string, readonly OldParagraph[]>()
  // A byte-order mark is no text.
  const content = readRtfDocument(bytes.subarray(Math.max(0, bytes.indexOf('{'))), {
    onParagraph: (paragraph) => void body.push(paragraph),
    onOriginal: (text) => void originals.push(text),
    onStory(kind, paragraphs, id) {
      if (kind === 'footnote') notes.set(id, paragraphs)
      else edges[kind].push(paragraphs)
    },
  })
  return {
    ...content,
    body,
    headers: edges.header,
    footers: edges.footer,
    notes,
    originalText: originals.join(''),
  }
}

function writeContent({ styles, body, headers, footers, notes }: Content): MarkedText {
  const plain: StoryContext = { styles, chunks: new Map(), objects: new Map(), numberNote: () => undefined }
  const write = (paragraphs: readonly OldParagraph[], context: StoryContext) => {
    const reader = createStoryReader(context, shownLabels)
    const writer = createParagraphWriter(reader)
    for (const paragraph of paragraphs) writer.add(paragraph)
    writer.finish()
    return reader.finish()
  }
  const readAll = (stories: readonly (readonly OldParagraph[])[]) =>
    stories.map((paragraphs) => write(paragraphs, plain).text)
  const texts: NoteTexts = {
    footnote: new Map([...notes].map(([id, paragraphs]) => [id, write(paragraphs, plain).text])),
    endnote: new Map(),
  }
  const numbered = createNotes(texts)
  const marked = write(body, { ...plain, numberNote: numbered.number })
  return joinStories({
    headers: readAll(headers),
    body: marked,
    notes: numbered.toText(),
    footers: readAll(footers),
  })
}

/** The numbers of list items, which an RTF file has as text. */
const shownLabels: ListLabels = {
  next: ({ listId, listLevel = 0 }) =>
    listId === undefined ? undefined : { label: listId, level: listLevel },
}
