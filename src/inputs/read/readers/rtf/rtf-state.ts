import { checkParagraphs, checkTextLength } from '../reader-limits.ts'
import { maxCodeChars } from '../word/field-code.ts'
import type { OldParagraph, Piece } from '../word/paragraph-writer.ts'
import { replaceSymbols } from '../word/word-symbols.ts'
import { createRtfFonts, type RtfFonts } from './rtf-fonts.ts'
import { createRtfGroup, plainParagraph, type RtfGroup } from './rtf-group.ts'
import { createRtfStyles, type RtfStyles } from './rtf-styles.ts'

/** Receives the content of an RTF file in order. */
export interface RtfTarget {
  /** A paragraph of the body. */
  onParagraph(paragraph: OldParagraph): void
  /**
   * A header, a footer or a note is complete.
   * @param id of a note, by which paragraphs refer to it
   */
  onStory(kind: 'header' | 'footer' | 'footnote', paragraphs: readonly OldParagraph[], id: string): void
  /** A part of the original, if the file is a mail that was text or HTML. */
  onOriginal(text: string): void
}

/** An RTF file that is being read. */
export interface RtfState {
  readonly target: RtfTarget
  readonly fonts: RtfFonts
  readonly styles: RtfStyles
  /** `html` and `text`: Outlook has put a mail of this type into RTF. */
  original: 'rtf' | 'html' | 'text'
  defaultFont: number
  group: RtfGroup
  readonly groups: RtfGroup[]
  /** Number of open groups that are skipped. */
  skippedGroups: number
  /** Number of characters that follow as a replacement for the last one. */
  fallback: number
  /** Text with the same properties, and bytes at its end that are not decoded yet. */
  text: string
  bytes: number[]
  /** Number of characters so far. */
  chars: number
  /** Number of paragraphs, cells and rows so far. */
  paragraphs: number
  notes: number
  readonly stories: OpenStory[]
  readonly rows: { readonly outer: RowDefinition; readonly inner: RowDefinition }
}

/** A story whose paragraphs are being read. */
interface OpenStory {
  pieces: Piece[]
  label: string
  add(paragraph: OldParagraph): void
}

/** Whether the cells of a row have been defined and the row has not ended, and their edges. */
interface RowDefinition {
  isOpen: boolean
  left: number
  rights: number[]
}

/** Returns the state at the beginning of a file. */
export function createRtfState(target: RtfTarget): RtfState {
  return {
    target,
    fonts: createRtfFonts(),
    styles: createRtfStyles(),
    original: 'rtf',
    defaultFont: -1,
    group: createRtfGroup(),
    groups: [],
    skippedGroups: 0,
    fallback: 0,
    text: '',
    bytes: [],
    chars: 0,
    paragraphs: 0,
    notes: 0,
    stories: [createStory(target.onParagraph)],
    rows: { outer: createRow(), inner: createRow() },
  }
}

/** Returns a row without cells. */
export function createRow(): RowDefinition {
  return { isOpen: false, left: 0, rights: [] }
}

/** Returns the innermost story. */
export function currentStory({ stories }: RtfState): OpenStory {
  return stories.at(-1) as OpenStory
}

/** Returns the row that is being defined. */
export function currentRow({ group, rows }: RtfState): RowDefinition {
  return group.definesInnerRows ? rows.inner : rows.outer
}

/** Adds a byte of text. */
export function addByte(state: RtfState, byte: number): void {
  if (state.text.length + state.bytes.length > maxPieceChars && byte < 0x80) flush(state)
  state.bytes.push(byte)
}

/** Adds text that needs no decoding. */
export function addCharacters(state: RtfState, characters: string): void {
  decodeBytes(state)
  state.text += characters
}

function decodeBytes(state: RtfState): void {
  if (state.bytes.length === 0) return
  state.text += state.fonts.decoderOf(state.group.font)(Uint8Array.from(state.bytes))
  state.bytes = []
}

const maxPieceChars = 10_000
const maxLabelChars = 100

/**
 * Ends a piece of text with the same properties. Must be called before a property changes.
 * @throws UnreadableError for more text than any model can read
 */
export function flush(state: RtfState): void {
  decodeBytes(state)
  if (state.text === '') return
  const { group, original } = state
  const text = replaceSymbols(state.text, state.fonts.nameOf(group.font))
  state.text = ''
  state.chars += text.length
  checkTextLength(state.chars)
  const { destination, field } = group
  if (destination === 'code') {
    if (field !== undefined && field.code.length < maxCodeChars) field.code += text
  } else if (destination === 'choice') field?.choices.push(text)
  else if (destination === 'label') currentStory(state).label += text.slice(0, maxLabelChars)
  else if (original !== 'rtf') {
    if (!group.isForRtfOnly) state.target.onOriginal(text)
  } else if (destination === 'text' && isShown(group))
    currentStory(state).pieces.push({ text, isRaised: group.isRaised })
}

/** Adds a part of a paragraph that is not text. */
export function addPiece(state: RtfState, ...pieces: readonly Piece[]): void {
  flush(state)
  if (state.original === 'rtf' && state.group.destination === 'text' && isShown(state.group))
    currentStory(state).pieces.push(...pieces)
}

function isShown({ isHidden, isDeleted }: RtfGroup): boolean {
  return !isHidden && !isDeleted
}

/**
 * Ends a paragraph, a cell or a row.
 * @param depth number of tables around it
 * @throws UnreadableError for too many of them
 */
export function endParagraph(
  state: RtfState,
  end: OldParagraph['end'],
  depth: number,
  edges?: readonly number[],
): void {
  flush(state)
  const { group, original, target } = state
  if (original !== 'rtf') {
    if (!group.isForRtfOnly) target.onOriginal('\n')
    return
  }
  checkParagraphs(++state.paragraphs)
  const story = currentStory(state)
  const { pieces, label } = story
  story.pieces = []
  story.label = ''
  story.add({ depth, end, edges, content: pieces, properties: listProperties(group, label) })
}

function listProperties(
  { style, outline, listLevel, isDeleted }: RtfGroup,
  label: string,
): Readonly<Record<string, string>> {
  return {
    'w:pStyle': String(style),
    ...(outline !== undefined && { 'w:outlineLvl': String(outline) }),
    ...(label !== '' && { 'w:numId': cleanLabel(label), 'w:ilvl': String(listLevel) }),
    ...(isDeleted && { 'w:del': '1' }),
  }
}

/** Returns the number of a list item, or `-` for a bullet. */
function cleanLabel(label: string): string {
  const words = label.replace(/\s+/g, ' ').trim().slice(0, maxLabelChars)
  return /[\p{L}\p{N}]/u.test(words) && words !== 'o' ? words : '-'
}

/** Returns the number of tables around the open paragraph. */
export function findDepth({ group, rows, stories }: RtfState): number {
  // Some programs do not mark the paragraphs between the definition of a row and its end.
  const isInside = group.isInTable || (rows.outer.isOpen && stories.length === 1)
  return isInside ? Math.max(1, group.tableDepth) : 0
}

/** Makes the open group a separate story. @param onEnd called with its paragraphs when the group ends */
export function openStory(state: RtfState, onEnd: (paragraphs: readonly OldParagraph[]) => void): void {
  flush(state)
  const paragraphs: OldParagraph[] = []
  state.stories.push(createStory((paragraph) => void paragraphs.push(paragraph)))
  Object.assign(state.group, plainParagraph, { destination: 'text' })
  state.group.onEnd = () => {
    if (currentStory(state).pieces.length > 0) endParagraph(state, 'paragraph', 0)
    state.stories.pop()
    onEnd(paragraphs)
  }
}

function createStory(add: (paragraph: OldParagraph) => void): OpenStory {
  return { pieces: [], label: '', add }
}
