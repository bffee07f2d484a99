/** A piece of text on a page, as pdfjs finds it: often a single character. */
export interface TextPiece {
  readonly str: string
  /** Writing direction: `ltr` or `rtl`. */
  readonly dir: string
  /** Transformation matrix; its fifth number is the distance from the left. */
  readonly transform: readonly number[]
  /** Length in the direction of the text; undefined for vertical text. */
  readonly width?: number | undefined
  /** Whether a space always belongs before and after the piece. */
  readonly isSeparate?: boolean
}

/**
 * Returns the text of one line in reading order. Programs place Arabic and Hebrew in visual order, from left
 * to right and in presentation forms. Numbers and Latin words in such text are read from left to right. Pieces
 * that do not touch are separated by a space.
 */
export function joinInReadingOrder(pieces: readonly TextPiece[]): string {
  const rightToLeft = countCharacters(pieces.filter(isRightToLeft))
  const ordered =
    rightToLeft === 0
      ? pieces
      : rightToLeft * 2 > countCharacters(pieces)
        ? reverseRuns([...pieces].sort(comparePosition).reverse(), (piece) => !isRightToLeft(piece))
        : reverseRuns(pieces, isRightToLeft)
  return ordered
    .map((piece, n) => (n > 0 && isApart(ordered[n - 1] as TextPiece, piece) ? ` ${piece.str}` : piece.str))
    .join('')
    .replace(/[\ufb1d-\ufdff\ufe70-\ufeff]+/g, (shapes) => shapes.normalize('NFKC'))
}

/**
 * Returns whether a space is missing between two neighbours. Pieces that overlap, such as a letter and its
 * accent, belong together.
 */
function isApart(before: TextPiece, after: TextPiece): boolean {
  if (/^$|\s$/.test(before.str) || /^$|^\s/.test(after.str)) return false
  if (before.isSeparate || after.isSeparate) return true
  if (before.width === undefined || after.width === undefined) return false
  const [a = 0, b = 0, c = 0, d = 0, beforeX = 0, beforeY = 0] = before.transform
  const [, , afterC = 0, afterD = 0, afterX = 0, afterY = 0] = after.transform
  const scale = Math.hypot(a, b)
  if (scale === 0) return false
  const [x, y] = [afterX - beforeX, afterY - beforeY]
  const distance = (x * a + y * b) / scale
  const shift = Math.abs(y * a - x * b) / scale
  const size = Math.max(Math.hypot(c, d), Math.hypot(afterC, afterD))
  const gap = distance > 0 ? distance - before.width : -distance - after.width
  return gap > minGap * Math.hypot(c, d) || shift > size
}

/** The narrowest space, in font sizes. */
const minGap = 0.15

function countCharacters(pieces: readonly TextPiece[]): number {
  return pieces.reduce((sum, { str }) => sum + str.trim().length, 0)
}

const numericPattern = /^[\p{Nd}.,:/%٫٬-]+$/u

function isRightToLeft({ str, dir }: TextPiece): boolean {
  return dir === 'rtl' && str.trim() !== '' && !numericPattern.test(str)
}

function comparePosition(a: TextPiece, b: TextPiece): number {
  return (a.transform[4] ?? 0) - (b.transform[4] ?? 0)
}

/** Reverses the runs that are written in the opposite direction of the line, with the spaces inside them. */
function reverseRuns(pieces: readonly TextPiece[], isOther: (piece: TextPiece) => boolean): TextPiece[] {
  const ordered: TextPiece[] = []
  let run: TextPiece[] = []
  const endRun = () => {
    // Spaces after a run belong to the line.
    let last = run.length
    while (last > 0 && run[last - 1]?.str.trim() === '') last--
    ordered.push(...orderRun(run.slice(0, last)), ...run.slice(last))
    run = []
  }
  for (const piece of pieces) {
    const blank = piece.str.trim() === ''
    if (blank ? run.length > 0 : isOther(piece)) run.push(piece)
    else {
      endRun()
      ordered.push(piece)
    }
  }
  endRun()
  return ordered
}

/** Orders a run by the positions of its pieces; a run that is already in order stays unchanged. */
function orderRun(run: readonly TextPiece[]): readonly TextPiece[] {
  const rightToLeft = run.some(isRightToLeft)
  const sorted = [...run].sort(comparePosition)
  return rightToLeft ? sorted.reverse() : sorted
}
