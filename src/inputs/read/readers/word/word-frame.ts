import { createTextBuilder, type TextBuilder } from '../text-builder.ts'
import type { ListLabels, ListPosition } from './list-labels.ts'
import type { ParagraphProperties, WordStyles } from './word-styles.ts'

/** The text of a story, or of a text box in it, and what is open there. */
export interface Frame {
  readonly text: TextBuilder
  readonly styles: WordStyles
  readonly labels: ListLabels
  readonly paragraphs: Paragraph[]
  readonly rows: Row[]
  /** The complex fields that are open. */
  readonly fields: Field[]
  /** How many of the fields are at their code. */
  codes: number
  readonly boxes: string[]
  run: Run | undefined
  isAfterListItem: boolean
  /** Whether the next paragraph continues the last one. */
  continues: boolean
  endsRaised: boolean
}

export interface Paragraph {
  readonly direct: { -readonly [Name in keyof ParagraphProperties]: ParagraphProperties[Name] }
  styleId?: string | undefined
  /** Whether its properties are being read. */
  inProperties: boolean
  /** Whether its end is deleted, so that the next paragraph continues it. */
  isEndDeleted: boolean
  /** Whether the next paragraph continues it, as after a drop cap or a run-in heading. */
  joinsNext: boolean
  isHidden: boolean
  position: ListPosition | undefined
  isResolved: boolean
  hasText: boolean
}

interface Field {
  /** Whether its result has not begun. */
  isAtCode: boolean
  code: string
}

interface Row {
  readonly depth: number
  /** Columns of a cell whose properties are being read; otherwise 0. */
  pendingColumns: number
  inProperties: boolean
}

export interface Run {
  /** Undefined if the run does not say so; its paragraph's style then decides. */
  isHidden: boolean | undefined
  isRaised: boolean
  font: string
}

/** Returns a frame without text. */
export function createFrame(styles: WordStyles, labels: ListLabels): Frame {
  return {
    text: createTextBuilder(),
    styles,
    labels,
    paragraphs: [],
    rows: [],
    fields: [],
    codes: 0,
    boxes: [],
    run: undefined,
    isAfterListItem: false,
    continues: false,
    endsRaised: false,
  }
}

/** Returns a paragraph whose properties are not known yet. */
export function createParagraph(): Paragraph {
  return {
    direct: {},
    inProperties: false,
    isEndDeleted: false,
    joinsNext: false,
    isHidden: false,
    position: undefined,
    isResolved: false,
    hasText: false,
  }
}

/** Begins a field with its code. */
export function beginField(frame: Frame): void {
  frame.fields.push({ isAtCode: true, code: '' })
  frame.codes++
}

/** Begins the result of the innermost field. */
export function beginFieldResult(frame: Frame): void {
  const field = frame.fields.at(-1)
  if (!field?.isAtCode) return
  field.isAtCode = false
  frame.codes--
}

/** Ends the innermost field. Returns its code if it has no result. */
export function endField(frame: Frame): string {
  const field = frame.fields.pop()
  if (!field?.isAtCode) return ''
  frame.codes--
  return field.code
}

/** Decides, once its properties are known, the label of a paragraph and whether it is hidden. */
export function resolveParagraph({ styles, labels }: Frame, paragraph: Paragraph): void {
  if (paragraph.isResolved) return
  paragraph.isResolved = true
  const style = styles.find(paragraph.styleId)
  paragraph.direct.headingLevel ??= style.headingLevel
  paragraph.isHidden = style.isHidden === true
  // A paragraph whose end is deleted becomes part of the next one, which is counted.
  if (!paragraph.isEndDeleted) paragraph.position = labels.next(paragraph.direct, style)
}

/** Whether text is shown here: not in the code of a field, and not hidden. */
export function isShown(frame: Frame): boolean {
  const isHidden = frame.run?.isHidden ?? frame.paragraphs.at(-1)?.isHidden ?? false
  return !isHidden && frame.codes === 0
}

/** Starts the line of the innermost paragraph, with its mark, unless it has text already. */
export function startLine(frame: Frame): void {
  const paragraph = frame.paragraphs.at(-1)
  if (paragraph === undefined || paragraph.hasText) return
  resolveParagraph(frame, paragraph)
  paragraph.hasText = true
  frame.endsRaised = false
  if (frame.continues) {
    frame.continues = false
    return
  }
  const { position, direct } = paragraph
  const heading = frame.rows.length > 0 ? 0 : (direct.headingLevel ?? 0)
  const label = position === undefined || position.label === '' ? '' : `${position.label} `
  const isListItem = label !== '' && heading === 0
  frame.text.addBreak(frame.rows.length > 0 || (isListItem && frame.isAfterListItem) ? 1 : 2)
  frame.isAfterListItem = isListItem
  const mark = isListItem
    ? '  '.repeat(position?.level ?? 0) + label
    : heading > 0
      ? `${'#'.repeat(Math.min(6, heading))} ${label === '- ' ? '' : label}`
      : ''
  if (mark !== '') frame.text.addMark(mark)
}

/** Ends the innermost paragraph, and adds the text boxes that are anchored in it. */
export function endParagraph(frame: Frame): void {
  const paragraph = frame.paragraphs.pop()
  if (paragraph === undefined) return
  resolveParagraph(frame, paragraph)
  if (paragraph.hasText) frame.continues = paragraph.isEndDeleted || paragraph.joinsNext
  if (frame.paragraphs.length > 0) return
  // The code of a field that a damaged file does not end would hide the rest of the document.
  if (frame.codes > 0) frame.fields.length = 0
  frame.codes = 0
  addBoxes(frame)
}

/** Adds the text boxes that are waiting for the end of their paragraph. */
export function addBoxes(frame: Frame): void {
  for (const box of frame.boxes.splice(0)) {
    frame.text.addBreak(frame.rows.length > 0 ? 1 : 2)
    frame.text.addVerbatim(box)
    frame.isAfterListItem = false
  }
}
