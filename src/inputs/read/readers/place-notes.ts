import type { PdfNote } from './pdf-annotations.ts'
import type { TextPiece } from './reading-order.ts'

type Line = readonly TextPiece[]

/**
 * Returns the lines of a page with its notes: a value after its label, a check box before or after it, and
 * every other note on a separate line, below the nearest line above it. Text that is not horizontal gets
 * all notes at its end.
 */
export function insertNotes(lines: readonly Line[], notes: readonly PdfNote[]): Line[] {
  if (notes.length === 0) return [...lines]
  const spots = lines.flatMap((pieces, line) => listSpots(pieces, line))
  // Placing takes time for each pair, and no page for people has this many.
  const nearby = spots.length * notes.length > maxPairs ? [] : spots
  const before = new Map<TextPiece, TextPiece[]>()
  const after = new Map<TextPiece, TextPiece[]>()
  const below = new Map<number, Line[]>()
  for (const note of [...notes].sort(compareNotes)) {
    const label = note.type === 'remark' ? undefined : findLabel(note, nearby)
    if (label !== undefined) addTo(label.isRight ? before : after, label.spot.piece, toPiece(note.text))
    else addTo(below, findLineAbove(note, nearby) ?? lines.length - 1, [toPiece(describeNote(note))])
  }
  const placed = lines.flatMap((pieces, n) => [
    pieces.flatMap((piece) => [...(before.get(piece) ?? []), piece, ...(after.get(piece) ?? [])]),
    ...(below.get(n) ?? []),
  ])
  return [...placed, ...(below.get(-1) ?? [])]
}

const maxPairs = 20_000_000

/** Where a piece of horizontal text is on the page. */
interface Spot {
  readonly piece: TextPiece
  readonly line: number
  readonly left: number
  readonly right: number
  readonly baseline: number
  readonly size: number
}

function listSpots(pieces: Line, line: number): Spot[] {
  return pieces.flatMap((piece) => {
    const [a = 0, b = 0, , d = 0, left = 0, baseline = 0] = piece.transform
    if (piece.str.trim() === '' || b !== 0 || a <= 0 || d <= 0 || piece.width === undefined) return []
    return [{ piece, line, left, right: left + piece.width, baseline, size: d }]
  })
}

/** Orders notes from top to bottom, and from left to right. */
function compareNotes({ rect: a }: PdfNote, { rect: b }: PdfNote): number {
  return b[3] - a[3] || a[0] - b[0]
}

/** Finds the nearest text on the same line: left of a note or, for a check box, also right of it. */
function findLabel({ rect, type }: PdfNote, spots: readonly Spot[]) {
  const [left, bottom, right, top] = rect
  let nearest: { readonly spot: Spot; readonly isRight: boolean } | undefined
  let shortest = maxLabelDistance
  for (const spot of spots) {
    // In a field of several lines, the label is next to the first one.
    const lowest = Math.max(bottom - 0.2 * spot.size, top - 2.5 * spot.size)
    if (spot.baseline < lowest || spot.baseline > top) continue
    const isRight = type === 'mark' && spot.left >= right - overlap
    const distance = isRight ? spot.left - right : left - spot.right
    if (distance < -overlap || distance >= shortest) continue
    nearest = { spot, isRight }
    shortest = distance
  }
  return nearest
}

/** In points: 1/72 inch. A text at a greater distance is likely to be in another column. */
const maxLabelDistance = 200

/** Points by which a label may reach into its field. */
const overlap = 3

/** Finds the line above a note, preferably in the same column. Remarks may be in the margin. */
function findLineAbove({ rect, type }: PdfNote, spots: readonly Spot[]): number | undefined {
  const [left, bottom, right, top] = rect
  // A remark may cover the line that it belongs to.
  const lowest = type === 'remark' ? bottom : top - overlap
  let nearest: Spot | undefined
  let shortest = Number.POSITIVE_INFINITY
  for (const spot of spots) {
    const isInColumn = type === 'remark' || (spot.left <= right + overlap && spot.right >= left - overlap)
    const distance = spot.baseline - lowest + (isInColumn ? 0 : otherColumnDistance)
    if (spot.baseline < lowest || distance >= shortest) continue
    nearest = spot
    shortest = distance
  }
  return nearest?.line
}

/** How many points nearer a line of another column must be. */
const otherColumnDistance = 20

function describeNote({ text, name, type }: PdfNote): string {
  if (!name) return text
  return type === 'mark' ? `${text} ${name}` : `${name}: ${text}`
}

function toPiece(str: string): TextPiece {
  return { str, dir: 'ltr', transform: [], isSeparate: true }
}

function addTo<Key, Item>(map: Map<Key, Item[]>, key: Key, item: Item): void {
  const items = map.get(key)
  if (items === undefined) map.set(key, [item])
  else items.push(item)
}
