import { findColumns } from './cell-edges.ts'
import type { StoryReader } from './read-story.ts'

/** A paragraph as formats older than .docx store it: tables are only properties of their paragraphs. */
export interface OldParagraph {
  /** Number of tables around it. */
  readonly depth: number
  /** What ends with it. The end of a row has no text. */
  readonly end: 'paragraph' | 'cell' | 'row'
  /** At the end of a row: the positions of the left edge of each cell and of the last right edge, in twips. */
  readonly edges?: readonly number[] | undefined
  /** Its properties by the names of their elements, such as `w:outlineLvl`. */
  readonly properties: Readonly<Record<string, string>>
  readonly content: readonly Piece[]
}

/** A part of a paragraph: text, an element without content, a side of an element, or a text box. */
export type Piece =
  | {
      readonly text: string
      readonly font?: string
      readonly isHidden?: boolean | undefined
      readonly isRaised?: boolean
    }
  | { readonly element: string; readonly attributes?: Readonly<Record<string, string>> }
  | { readonly open: string }
  | { readonly close: string }
  | { readonly code: string }
  | { readonly box: readonly OldParagraph[] }

/** Returns the element that begins, separates or ends a field. */
export function createFieldPiece(type: 'begin' | 'separate' | 'end'): Piece {
  return { element: 'w:fldChar', attributes: { 'w:fldCharType': type } }
}

/** Passes paragraphs to a story as the elements of a .docx file. */
export interface ParagraphWriter {
  add(paragraph: OldParagraph): void
  /** Ends the tables that are open. */
  finish(): void
}

/** A table whose rows are collected, because all of them decide about its columns. */
interface OpenTable {
  readonly rows: { readonly cells: readonly CellContent[]; readonly edges: readonly number[] | undefined }[]
  cells: CellContent[]
  content: (OldParagraph | OpenTable)[]
}

type CellContent = readonly (OldParagraph | OpenTable)[]

/** Word nests tables less deep. */
const maxDepth = 20

/** Returns a writer to one story. */
export function createParagraphWriter(reader: StoryReader): ParagraphWriter {
  const tables: OpenTable[] = []
  const closeTables = (depth: number) => {
    while (tables.length > depth) {
      const table = tables.pop() as OpenTable
      endRow(table, undefined)
      const outer = tables.at(-1)
      if (outer === undefined) writeTable(reader, table)
      else outer.content.push(table)
    }
  }
  return {
    add(paragraph) {
      const depth = Math.min(paragraph.depth, maxDepth)
      closeTables(depth)
      while (tables.length < depth) tables.push({ rows: [], cells: [], content: [] })
      const table = tables.at(-1)
      if (table === undefined) {
        if (paragraph.content.length > 0) writeParagraph(reader, paragraph)
        return
      }
      if (paragraph.content.length > 0) table.content.push(paragraph)
      if (paragraph.end === 'cell') endCell(table)
      if (paragraph.end === 'row') endRow(table, paragraph.edges)
    },
    finish: () => closeTables(0),
  }
}

function endCell(table: OpenTable): void {
  table.cells.push(table.content)
  table.content = []
}

function endRow(table: OpenTable, edges: readonly number[] | undefined): void {
  if (table.content.length > 0) endCell(table)
  if (table.cells.length > 0) table.rows.push({ cells: table.cells, edges })
  table.cells = []
}

function writeTable(reader: StoryReader, { rows }: OpenTable): void {
  const columns = findColumns(rows.map(({ cells, edges }) => ({ cells: cells.length, edges })))
  reader.onOpen('w:tbl', {})
  for (const [row, { cells }] of rows.entries()) {
    reader.onOpen('w:tr', {})
    const places = columns[row] ?? []
    writeElement(reader, 'w:gridBefore', { 'w:val': String(places[0] ?? 0) })
    for (const [index, content] of cells.entries()) {
      reader.onOpen('w:tc', {})
      const span = (places[index + 1] ?? 0) - (places[index] ?? 0)
      if (span > 1) writeElement(reader, 'w:gridSpan', { 'w:val': String(span) })
      for (const item of content)
        if ('rows' in item) writeTable(reader, item)
        else writeParagraph(reader, item)
      reader.onClose('w:tc')
    }
    reader.onClose('w:tr')
  }
  reader.onClose('w:tbl')
}

function writeParagraph(reader: StoryReader, { properties, content }: OldParagraph): void {
  reader.onOpen('w:p', {})
  reader.onOpen('w:pPr', {})
  for (const [name, value] of Object.entries(properties)) writeElement(reader, name, { 'w:val': value })
  reader.onClose('w:pPr')
  for (const piece of content) writePiece(reader, piece)
  reader.onClose('w:p')
}

function writePiece(reader: StoryReader, piece: Piece): void {
  if ('text' in piece) {
    const { text, font = '', isHidden, isRaised = false } = piece
    reader.onOpen('w:r', {})
    if (isHidden !== undefined) writeElement(reader, 'w:vanish', { 'w:val': isHidden ? '1' : '0' })
    if (isRaised) writeElement(reader, 'w:vertAlign', { 'w:val': 'superscript' })
    if (font !== '') writeElement(reader, 'w:rFonts', { 'w:ascii': font })
    writeText(reader, 'w:t', text)
    reader.onClose('w:r')
  } else if ('code' in piece) writeText(reader, 'w:instrText', piece.code)
  else if ('element' in piece) writeElement(reader, piece.element, piece.attributes ?? {})
  else if ('open' in piece) reader.onOpen(piece.open, {})
  else if ('close' in piece) reader.onClose(piece.close)
  else {
    reader.onOpen('w:txbxContent', {})
    const writer = createParagraphWriter(reader)
    for (const paragraph of piece.box) writer.add(paragraph)
    writer.finish()
    reader.onClose('w:txbxContent')
  }
}

function writeText(reader: StoryReader, name: string, text: string): void {
  reader.onOpen(name, {})
  reader.onText(text)
  reader.onClose(name)
}

function writeElement(reader: StoryReader, name: string, attributes: Readonly<Record<string, string>>): void {
  reader.onOpen(name, attributes)
  reader.onClose(name)
}
