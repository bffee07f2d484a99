import { createFieldPiece, type Piece } from '../word/paragraph-writer.ts'

/** A field that is being read: a check box, a link, a page number. */
export interface RtfField {
  code: string
  isBegun: boolean
  /** The element before its result. */
  separator: Piece | undefined
  /** The index of the choice, or whether the box is checked, as set by the user. */
  result: number | undefined
  default: number
  readonly choices: string[]
}

/** Returns a field without code. */
export function createRtfField(): RtfField {
  return { code: '', isBegun: false, separator: undefined, result: undefined, default: 0, choices: [] }
}

/** Sets a property of a form field. */
export function setFormProperty(field: RtfField, word: string, value: number): void {
  // 25 stands for no result.
  if (word === 'ffres' && value !== 25) field.result = value
  if (word === 'ffdefres') field.default = value
}

/** Returns the parts of a paragraph at the end of the code of a field. */
export function beginField(field: RtfField): readonly Piece[] {
  field.isBegun = true
  const { code, choices, result = field.default } = field
  const form = /\bFORMCHECKBOX\b/.test(code)
    ? ` ${result === 1 ? '[x]' : '[ ]'} `
    : /\bFORMDROPDOWN\b/.test(code) && choices[result] !== undefined
      ? ` ${choices[result]?.trim()} `
      : ''
  return [...(form === '' ? [] : [{ text: form }]), createFieldPiece('begin'), { code }]
}
