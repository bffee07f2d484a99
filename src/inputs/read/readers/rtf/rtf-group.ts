import type { RtfField } from './rtf-field.ts'

/** What the text of a group is. `ansi`: a version of a text of which a better one follows. */
type Destination = 'text' | 'ansi' | 'fonts' | 'styles' | 'code' | 'choice' | 'label' | 'tag'

/** What is set inside a group, and ends with it. */
export interface RtfGroup {
  destination: Destination
  /** Whether a `\*` was read, so that a destination which is not known is skipped. */
  isOptional: boolean
  font: number
  /** Number of characters after `\u` that are its replacement for older programs. */
  fallbackChars: number
  isHidden: boolean
  isDeleted: boolean
  isRaised: boolean
  /** Whether it is RTF that stands for HTML, which has the same text. */
  isForRtfOnly: boolean
  isInTable: boolean
  /** Number of tables around a paragraph in a table. */
  tableDepth: number
  /** Whether it defines rows of a table in a table. */
  definesInnerRows: boolean
  isInEquation: boolean
  style: number
  /** Outline level from 0 that the paragraph itself has. */
  outline: number | undefined
  listLevel: number
  field: RtfField | undefined
  /** Called when the group ends. */
  onEnd: (() => void) | undefined
}

/** Returns what is set at the beginning of a file. */
export function createRtfGroup(): RtfGroup {
  return {
    destination: 'text',
    isOptional: false,
    font: -1,
    fallbackChars: 1,
    ...plainCharacters,
    isForRtfOnly: false,
    ...plainParagraph,
    definesInnerRows: false,
    isInEquation: false,
    field: undefined,
    onEnd: undefined,
  }
}

/** What `\plain` sets. */
export const plainCharacters = { isHidden: false, isDeleted: false, isRaised: false } as const

/** What `\pard` sets. */
export const plainParagraph = {
  isInTable: false,
  tableDepth: 1,
  style: 0,
  outline: undefined,
  listLevel: 0,
} as const
