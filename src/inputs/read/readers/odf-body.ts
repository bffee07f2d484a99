import { createOdfLists, type OdfLists } from './odf-lists.ts'
import type { OdfSheets } from './odf-sheets.ts'
import type { OdfStyles } from './odf-styles.ts'
import type { OdfTables } from './odf-tables.ts'
import type { TextBuilder } from './text-builder.ts'

/** What other parts of an OpenDocument file say about its text. */
export interface OdfContext {
  readonly styles: OdfStyles
  /** The texts of charts, by folder in the archive. */
  readonly charts: ReadonlyMap<string, string>
  /** The texts of formulas, by folder in the archive. */
  readonly formulas: ReadonlyMap<string, string>
}

/** Reads the tags of a document that are not hidden. */
interface BodyReader {
  open(name: string, attributes: Readonly<Record<string, string>>): void
  addText(words: string): void
  close(name: string): void
  isSpreadsheet(): boolean
}

/** Returns a reader that adds headings, paragraphs, lists, notes, slides and sheets to a text. */
export function createBodyReader(
  text: TextBuilder,
  { styles, charts, formulas }: OdfContext,
  { tables, sheets }: { readonly tables: OdfTables; readonly sheets: OdfSheets },
): BodyReader {
  const lists = createOdfLists(styles)
  let [slides, isSpreadsheet] = [0, false]
  const addBreak = (lines: number) => {
    const note = sheets.getNote()
    if (note !== undefined) note.addBreak(1)
    // A cell of a sheet is always one line.
    else if (isSpreadsheet && tables.isInCell()) text.addWords(' ')
    else text.addBreak(lines)
  }
  const paragraphs = createParagraphs({
    lists,
    addBreak,
    addWords: (words) => (sheets.getNote() ?? tables).addWords(words),
    addMark: (mark) => (sheets.getNote() ?? text).addMark(mark),
  })
  const startTable = (name: string | undefined) => {
    if (isSpreadsheet) sheets.startSheet(name ?? '')
    else text.addBreak(2)
  }
  const endTable = () => {
    if (isSpreadsheet) sheets.endSheet()
    text.addBreak(2)
  }
  return {
    open(name, attributes) {
      if (isSpreadsheet) sheets.open(name, tables.getPosition)
      if (name === 'office:spreadsheet') isSpreadsheet = true
      const note = sheets.getNote()
      if (note === undefined) {
        if (name === 'table:table') startTable(attributes['table:name'])
        tables.open(name, attributes)
      }
      if (name === 'draw:page') addSlideHeading(text, ++slides)
      if (name === 'draw:object') {
        const path = cleanPath(attributes['xlink:href'])
        paragraphs.addInline(formulas.get(path) ?? '')
        addBlock(note ?? text, charts.get(path))
      }
      if (name === 'text:list') {
        if (lists.depth() === 0) addBreak(2)
        lists.startList(attributes['text:style-name'])
      }
      if (name === 'text:list-item') lists.startItem()
      if (name === 'text:note-body') {
        paragraphs.addText(' ')
        paragraphs.addMark('(')
      }
      if (name === 'text:p') paragraphs.start(undefined)
      if (name === 'text:h') paragraphs.start(attributes['text:outline-level'] ?? '1')
      if (name === 'text:s' || name === 'text:tab') paragraphs.addText(' ')
      if (name === 'text:line-break') addBreak(1)
    },
    addText: paragraphs.addText,
    close(name) {
      if (name === 'text:list') {
        lists.endList()
        if (lists.depth() === 0) addBreak(2)
      }
      if (sheets.getNote() === undefined) {
        tables.close(name)
        if (name === 'table:table') endTable()
      }
      if (name === 'text:note-body') paragraphs.addText(') ')
      if (name === 'text:h' || name === 'text:p') paragraphs.end()
      sheets.close()
    },
    isSpreadsheet: () => isSpreadsheet,
  }
}

interface ParagraphOptions {
  readonly lists: OdfLists
  addBreak(lines: number): void
  addWords(words: string): void
  addMark(mark: string): void
}

/** Returns a reader of paragraphs. Only text in paragraphs is text of the document. */
function createParagraphs({ lists, addBreak, addWords, addMark }: ParagraphOptions) {
  let depth = 0
  return {
    /** @param headingLevel undefined for a paragraph that is not a heading */
    start(headingLevel: string | undefined) {
      // A note's paragraphs are nested in the paragraph that refers to it.
      if (depth++ > 0) return
      addBreak(lists.depth() > 0 ? 1 : 2)
      const listMark = lists.takeMark()
      const mark = headingLevel === undefined ? listMark : formatHeadingMark(headingLevel)
      if (mark !== undefined) addMark(mark)
    },
    end() {
      depth--
    },
    addText(words: string) {
      if (depth > 0) addWords(words)
    },
    addMark(mark: string) {
      if (depth > 0) addMark(mark)
    },
    /** Adds words to the paragraph that is open, or else as a paragraph. */
    addInline(words: string) {
      if (depth === 0 && words !== '') addBreak(1)
      addWords(words)
    },
  }
}

function addSlideHeading(text: TextBuilder, number: number): void {
  text.addBreak(2)
  text.markPosition('slide', String(number))
  text.addMark('## ')
  text.addWords(`Slide ${number}`)
  text.addBreak(1)
}

/** Adds the text of an object, such as a chart, on separate lines. */
function addBlock(text: TextBuilder, block: string | undefined): void {
  if (block === undefined) return
  text.addBreak(2)
  text.addVerbatim(block)
  text.addBreak(2)
}

/** Returns the folder that a reference such as `./Object 1` names. */
function cleanPath(reference = ''): string {
  return reference.replace(/^\.\//, '').replace(/\/$/, '')
}

function formatHeadingMark(level: string): string {
  return `${'#'.repeat(Math.min(6, Math.max(1, Number.parseInt(level, 10) || 1)))} `
}
