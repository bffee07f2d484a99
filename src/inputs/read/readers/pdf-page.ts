import type { PdfFile } from './load-pdfjs.ts'
import { listPdfNotes } from './pdf-annotations.ts'
import { insertNotes } from './place-notes.ts'
import { joinInReadingOrder, type TextPiece } from './reading-order.ts'

/** The text of a page of a PDF. */
export interface PdfPage {
  /** The text, with the values of fields and the notes; empty if the characters of the page are unknown. */
  readonly text: string
  /** How many characters without white space are written on the page itself. */
  readonly solidChars: number
  /** Whether most of the text cannot be read, because its font does not name its characters. */
  readonly isGarbled: boolean
}

/** Returns the text of a page in the order in which it was written. @param number from 1 */
export async function readPdfPage(file: PdfFile, number: number): Promise<PdfPage> {
  const page = await file.getPage(number)
  try {
    const { items, styles } = await page.getTextContent()
    const lines: TextPiece[][] = [[]]
    const isRedrawn = createRedrawnCheck()
    for (const item of items) {
      if (!('str' in item)) continue
      const { str, dir, transform, width, fontName, hasEOL } = item
      const piece = { str, dir, transform, width: styles[fontName]?.vertical ? undefined : width }
      if (!isRedrawn(piece)) lines.at(-1)?.push(piece)
      if (hasEOL) lines.push([])
    }
    const written = joinLines(lines)
    const solid = written.replace(/\s+/g, '')
    const isGarbled = isUnreadable(solid)
    const notes = listPdfNotes(await page.getAnnotations().catch(() => []))
    const text = removeControls(joinLines(insertNotes(isGarbled ? [] : lines, notes)))
    return { text, solidChars: isGarbled ? 0 : solid.length, isGarbled }
  } finally {
    page.cleanup()
  }
}

function joinLines(lines: readonly (readonly TextPiece[])[]): string {
  return lines.map(joinInReadingOrder).join('\n').trim()
}

/** Removes control characters, which stand for symbols that a font does not name. */
function removeControls(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '')
}

/**
 * Returns a function that checks whether a piece was already drawn at nearly the same place, as programs do
 * for bold text and shadows.
 */
function createRedrawnCheck(): (piece: TextPiece) => boolean {
  const drawn = new Set<string>()
  return ({ str, transform, width }) => {
    if (str.trim() === '') return false
    const [, , c = 0, d = 0, x = 0, y = 0] = transform
    const size = Math.hypot(c, d)
    // A letter is at least as wide as this, so that the second letter of `ll` is kept.
    const tolerance = Math.min(0.2 * size, 0.4 * (width ?? size))
    if (!(tolerance > 0)) return false
    const [column, row] = [Math.round(x / tolerance), Math.round(y / tolerance)]
    const isDrawn = nearby.some(([dx, dy]) => drawn.has(`${column + dx} ${row + dy} ${str}`))
    drawn.add(`${column} ${row} ${str}`)
    return isDrawn
  }
}

const nearby = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => [dx, dy] as const))

/**
 * Returns whether a text consists of codes without a meaning: in fonts that do not name their characters,
 * codes become control characters or characters for private use.
 */
function isUnreadable(solid: string): boolean {
  const controls = solid.match(/\p{Cc}/gu)?.length ?? 0
  const unknown = solid.match(/[\p{Co}\p{Cn}\ufffd]/gu)?.length ?? 0
  return controls > maxControlShare * solid.length || controls + unknown > maxUnknownShare * solid.length
}

/** In such text, one character of each word is a control character: the space. */
const maxControlShare = 0.1

/** Symbol fonts for bullets and formulas have characters for private use, too. */
const maxUnknownShare = 0.35
