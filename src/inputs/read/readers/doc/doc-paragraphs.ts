import { checkParagraphs } from '../reader-limits.ts'
import { maxCodeChars } from '../word/field-code.ts'
import { createFieldPiece, type OldParagraph, type Piece } from '../word/paragraph-writer.ts'
import type { WordStyles } from '../word/word-styles.ts'
import { readFontNames } from './doc-fonts.ts'
import { readFormField } from './form-field.ts'
import { readPieces, type TextPiece } from './piece-table.ts'
import { properties, readProperties } from './property-changes.ts'
import { type PropertyRun, readPropertyRuns } from './property-runs.ts'
import type { WordFile } from './word-file.ts'

/** Reads ranges of the text of a document. */
export interface DocParagraphs {
  /**
   * Returns the paragraphs of a range of characters.
   * @param anchors what is at a character: notes and text boxes, by position
   */
  read(start: number, end: number, anchors?: ReadonlyMap<number, Piece>): readonly OldParagraph[]
}

/** What applies to a run of characters. */
interface CharacterProperties {
  isDeleted: boolean
  isHidden: boolean | undefined
  isRaised: boolean
  font: string
  symbol: { readonly font: string; readonly code: string } | undefined
  /** What a form field shows that has no text as its result. */
  form: string
}

/** A paragraph that is being read. */
interface OpenParagraph {
  content: Piece[]
  readonly fields: OpenField[]
}

interface OpenField {
  /** Whether its result has not begun. */
  isAtCode: boolean
  code: string
  form: string
}

/** Returns a reader of the text of a document. */
export function createDocParagraphs(file: WordFile, styles: WordStyles): DocParagraphs {
  const { main, findPart } = file
  const pieces = readPieces(main, findPart('pieces'))
  const characterRuns = readPropertyRuns(main, findPart('characterProperties'), 'characters')
  const paragraphRuns = readPropertyRuns(main, findPart('paragraphProperties'), 'paragraphs')
  const fonts = readFontNames(findPart('fonts'))
  const known = new Map<PropertyRun | undefined, CharacterProperties>()
  const findCharacters = (run: PropertyRun | undefined, changes: Buffer): CharacterProperties => {
    const found = changes.length === 0 ? known.get(run) : undefined
    const read = found ?? readCharacters([run?.bytes, changes], fonts, styles, file.data)
    if (changes.length === 0) known.set(run, read)
    return read
  }
  return {
    read(start, end, anchors = new Map()) {
      const paragraphs: OldParagraph[] = []
      const open: OpenParagraph = { content: [], fields: [] }
      const endParagraph = (
        mark: string,
        position: number,
        characters: CharacterProperties,
        changes: Buffer,
      ) => {
        paragraphs.push(
          toParagraph(open.content, mark, characters, [paragraphRuns.find(position), changes], file),
        )
        open.content = []
        checkParagraphs(paragraphs.length)
      }
      for (const piece of pieces) {
        if (piece.end <= start || piece.start >= end) continue
        let at = Math.max(piece.start, start)
        const pieceEnd = Math.min(piece.end, end)
        while (at < pieceEnd) {
          const position = piece.position + (at - piece.start) * piece.bytesPerChar
          const run = characterRuns.find(position)
          const runEnd = run?.end ?? characterRuns.findNextStart(position)
          const chars = Math.max(1, Math.ceil((runEnd - position) / piece.bytesPerChar))
          const next = Math.min(pieceEnd, at + chars)
          addRun(piece, at, next, findCharacters(run, piece.changes), open, anchors, endParagraph)
          at = next
        }
      }
      if (open.content.length > 0)
        paragraphs.push({ depth: 0, end: 'paragraph', properties: {}, content: open.content })
      return paragraphs
    },
  }
}

type EndParagraph = (mark: string, position: number, characters: CharacterProperties, changes: Buffer) => void

/** Adds the characters of a run to the open paragraph, and ends paragraphs at their marks. */
function addRun(
  piece: TextPiece,
  start: number,
  end: number,
  characters: CharacterProperties,
  open: OpenParagraph,
  anchors: ReadonlyMap<number, Piece>,
  endParagraph: EndParagraph,
): void {
  const text = piece.text.slice(start - piece.start, end - piece.start)
  let from = 0
  const addText = (to: number) => {
    const words = text.slice(from, to)
    if (words !== '' && !characters.isDeleted) addWords(open, words, characters)
    from = to + 1
  }
  for (let index = 0; index < text.length; index++) {
    const char = text[index] as string
    const anchor = anchors.get(start + index)
    if (char >= ' ' && anchor === undefined && (char !== '(' || characters.symbol === undefined)) continue
    addText(index)
    if (char === '\r' || char === '\x07' || char === '\f') {
      const position = piece.position + (start + index - piece.start) * piece.bytesPerChar
      endParagraph(char, position, characters, piece.changes)
    } else if (!characters.isDeleted) {
      if (anchor !== undefined) open.content.push(anchor)
      addSpecial(open, char, characters)
    }
  }
  addText(text.length)
}

function addWords({ content, fields }: OpenParagraph, text: string, characters: CharacterProperties): void {
  if (fields.some(({ isAtCode }) => isAtCode)) {
    const code = text.slice(0, maxCodeChars)
    const field = fields.at(-1)
    if (field !== undefined && field.code.length < maxCodeChars) field.code += code
    content.push({ code })
  } else {
    const { isHidden, isRaised, font } = characters
    content.push({ text, isHidden, isRaised, font: /[\uf020-\uf0ff]/.test(text) ? font : '' })
  }
}

/** Adds what a control character stands for. */
function addSpecial(open: OpenParagraph, char: string, characters: CharacterProperties): void {
  const { content, fields } = open
  const field = fields.at(-1)
  if (char === '\x13') {
    fields.push({ isAtCode: true, code: '', form: '' })
    content.push(createFieldPiece('begin'))
  } else if (char === '\x14' && field !== undefined) {
    field.isAtCode = false
    content.push(createFieldPiece('separate'))
  } else if (char === '\x15' && field !== undefined) {
    fields.pop()
    content.push(createFieldPiece('end'))
    if (field.form !== '' && /\bFORM(?:CHECKBOX|DROPDOWN)\b/.test(field.code))
      addWords(open, ` ${field.form} `, characters)
  } else if (char === '\x01') {
    if (field !== undefined) field.form = characters.form
  } else if (char === '\v' || char === '\x0e') content.push({ element: 'w:br' })
  else if (char === '\t') addWords(open, ' ', characters)
  else if (char === '\x1e') addWords(open, '-', characters)
  else if (characters.symbol !== undefined && char === '(') {
    const { font, code } = characters.symbol
    content.push({ element: 'w:sym', attributes: { 'w:char': code, 'w:font': font } })
  }
}

function readCharacters(
  lists: readonly (Buffer | undefined)[],
  fonts: readonly string[],
  styles: WordStyles,
  data: Buffer,
): CharacterProperties {
  let [hasData, dataPosition] = [false, 0]
  const characters: CharacterProperties = {
    isDeleted: false,
    isHidden: undefined,
    isRaised: false,
    font: '',
    symbol: undefined,
    form: '',
  }
  for (const list of lists)
    readProperties(list ?? Buffer.alloc(0), (property, operand) => {
      const value = operand[0] ?? 0
      const isOn = (value & 1) === 1
      if (property === properties.isDeleted) characters.isDeleted = isOn
      // This value stands for that of the style.
      else if (property === properties.isHidden) characters.isHidden = value === 0x80 ? undefined : isOn
      else if (property === properties.raised) characters.isRaised = value === 1
      else if (property === properties.font) characters.font = fonts[operand.readUInt16LE(0)] ?? ''
      else if (property === properties.characterStyle) {
        if (styles.isHidden(String(operand.readUInt16LE(0)))) characters.isHidden = true
      } else if (property === properties.hasData) hasData = isOn
      else if (property === properties.dataPosition) dataPosition = operand.readUInt32LE(0)
      else if (property === properties.symbol)
        characters.symbol = {
          font: fonts[operand.readUInt16LE(0)] ?? '',
          code: operand.readUInt16LE(2).toString(16),
        }
    })
  return hasData ? { ...characters, form: readFormField(data, dataPosition) } : characters
}

/** Returns a complete paragraph. @param mark the character that ends it */
function toParagraph(
  content: readonly Piece[],
  mark: string,
  characters: CharacterProperties,
  [run, changes]: readonly [PropertyRun | undefined, Buffer],
  { data }: Pick<WordFile, 'data'>,
): OldParagraph {
  const found: Record<string, string> = { 'w:pStyle': String(run?.style ?? 0) }
  let [inTable, depth, endsRow, endsInnerCell, endsInnerRow] = [false, 0, false, false, false]
  let edges: readonly number[] | undefined
  const observe = (property: number, operand: Buffer): void => {
    const value = operand[0] ?? 0
    if (property === properties.isInTable) inTable = value === 1
    else if (property === properties.endsRow) endsRow = value === 1
    else if (property === properties.tableDepth) depth = operand.readInt32LE(0)
    else if (property === properties.endsInnerCell) endsInnerCell = value === 1
    else if (property === properties.endsInnerRow) endsInnerRow = value === 1
    else if (property === properties.list) found['w:numId'] = String(operand.readInt16LE(0))
    else if (property === properties.listLevel) found['w:ilvl'] = String(value)
    else if (property === properties.outline) found['w:outlineLvl'] = String(value)
    else if (property === properties.rowDefinition) edges = readEdges(operand)
    else if (
      property === properties.moreParagraphProperties ||
      property === properties.evenMoreParagraphProperties
    )
      readProperties(findMore(data, operand.readUInt32LE(0)), (more, value) => {
        if (more !== properties.moreParagraphProperties && more !== properties.evenMoreParagraphProperties)
          observe(more, value)
      })
  }
  readProperties(run?.bytes ?? Buffer.alloc(0), observe)
  readProperties(changes, observe)
  if (characters.isDeleted) found['w:del'] = '1'
  else if (characters.isHidden) found['w:vanish'] = '1'
  const tables = depth > 0 ? depth : inTable || mark === '\x07' ? 1 : 0
  const isRow = tables > 1 ? endsInnerRow : endsRow
  const isCell = tables > 1 && mark !== '\x07' ? endsInnerCell : mark === '\x07'
  return {
    depth: tables,
    end: tables === 0 ? 'paragraph' : isRow ? 'row' : isCell ? 'cell' : 'paragraph',
    edges,
    properties: found,
    content,
  }
}

/** Returns the properties of a paragraph that are too long for a page of properties. */
function findMore(data: Buffer, at: number): Buffer {
  return at + 2 > data.length ? Buffer.alloc(0) : data.subarray(at + 2, at + 2 + data.readUInt16LE(at))
}

/** Returns the edges of the cells of a row, in twips. */
function readEdges(definition: Buffer): readonly number[] {
  const cells = definition[0] ?? 0
  const count = Math.min(cells + 1, Math.floor((definition.length - 1) / 2))
  return Array.from({ length: count }, (_, n) => definition.readInt16LE(1 + n * 2))
}
