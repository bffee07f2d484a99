import { setFormProperty } from './rtf-field.ts'
import { plainCharacters, plainParagraph } from './rtf-group.ts'
import {
  addCharacters,
  addPiece,
  createRow,
  currentRow,
  endParagraph,
  findDepth,
  type RtfState,
} from './rtf-state.ts'

/** What a control word does. @param value its number; 0 if it has none @param isOn false only for the number 0 */
type Action = (state: RtfState, value: number, isOn: boolean) => void

/** Control words that set a property, or end a paragraph, a cell or a row. */
export const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['f', ({ group }, value) => void Object.assign(group, { font: value })],
  ['plain', ({ group, defaultFont }) => void Object.assign(group, plainCharacters, { font: defaultFont })],
  ['pard', ({ group }) => void Object.assign(group, plainParagraph)],
  ['v', ({ group }, _, isOn) => void Object.assign(group, { isHidden: isOn })],
  ['deleted', ({ group }, _, isOn) => void Object.assign(group, { isDeleted: isOn })],
  ['mvf', ({ group }, _, isOn) => void Object.assign(group, { isDeleted: isOn })],
  ['super', ({ group }, _, isOn) => void Object.assign(group, { isRaised: isOn })],
  ['sub', ({ group }) => void Object.assign(group, { isRaised: false })],
  ['nosupersub', ({ group }) => void Object.assign(group, { isRaised: false })],
  ['uc', ({ group }, value) => void Object.assign(group, { fallbackChars: Math.max(0, value) })],
  ['htmlrtf', ({ group }, _, isOn) => void Object.assign(group, { isForRtfOnly: isOn })],
  ['intbl', ({ group }) => void Object.assign(group, { isInTable: true })],
  ['itap', ({ group }, value) => void Object.assign(group, { tableDepth: value })],
  ['s', ({ group }, value) => void Object.assign(group, { style: value })],
  ['outlinelevel', ({ group }, value) => void Object.assign(group, { outline: value })],
  ['ilvl', ({ group }, value) => void Object.assign(group, { listLevel: value })],
  ['ansicpg', ({ fonts }, value) => fonts.setDefaultPage(value)],
  ['mac', ({ fonts }) => fonts.setDefaultPage(10_000)],
  ['pc', ({ fonts }) => fonts.setDefaultPage(437)],
  ['pca', ({ fonts }) => fonts.setDefaultPage(850)],
  ['deff', (state, value) => void Object.assign(state, { defaultFont: value })],
  ['fromhtml', (state) => void Object.assign(state, { original: 'html' })],
  ['fromtext', (state) => void Object.assign(state, { original: 'text' })],
  ['trowd', (state) => void Object.assign(currentRow(state), createRow())],
  ['trleft', (state, value) => void Object.assign(currentRow(state), { left: value })],
  ['cellx', addCell],
  ...['fftype', 'ffres', 'ffdefres'].map((word) => [word, setForm(word)] as const),
  ['par', (state) => endParagraph(state, 'paragraph', findDepth(state))],
  ['sect', (state) => endParagraph(state, 'paragraph', findDepth(state))],
  ['cell', (state) => endParagraph(state, 'cell', 1)],
  ['nestcell', (state) => endParagraph(state, 'cell', findInnerDepth(state))],
  ['row', endRow],
  ['nestrow', endInnerRow],
  ...['line', 'lbr', 'page', 'column'].map((word) => [word, breakLine] as const),
])

/** The characters that control words stand for. */
export const characters: ReadonlyMap<string, string> = new Map([
  ['tab', '\t'],
  ['emdash', '—'],
  ['endash', '–'],
  ['lquote', '‘'],
  ['rquote', '’'],
  ['ldblquote', '“'],
  ['rdblquote', '”'],
  ['bullet', '•'],
  ['emspace', '\u2003'],
  ['enspace', '\u2002'],
  ['qmspace', '\u2005'],
  ['zwj', '\u200d'],
  ['zwnj', '\u200c'],
])

/** More cells than a row of any program has. */
const maxCells = 1000

function addCell(state: RtfState, value: number): void {
  const row = currentRow(state)
  if (row.rights.length < maxCells) row.rights.push(value)
  row.isOpen = true
}

function setForm(word: string): Action {
  return ({ group: { field } }, value) => {
    if (field !== undefined) setFormProperty(field, word, value)
  }
}

function endRow(state: RtfState): void {
  const { outer } = state.rows
  endParagraph(state, 'row', 1, [outer.left, ...outer.rights])
  outer.isOpen = false
}

function endInnerRow(state: RtfState): void {
  const { inner } = state.rows
  endParagraph(state, 'row', findInnerDepth(state), [inner.left, ...inner.rights])
}

function findInnerDepth({ group }: RtfState): number {
  return Math.max(2, group.tableDepth)
}

function breakLine(state: RtfState): void {
  if (state.original === 'rtf') addPiece(state, { element: 'w:br' })
  else addCharacters(state, '\n')
}
