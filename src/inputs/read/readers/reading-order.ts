/** A piece of text on a page, as pdfjs finds it: often a single character. */
export interface Piece {
  readonly str: string
  /** Which way it is written. */
  readonly dir: string
  /** Where it stands: the fifth number is how far right. */
  readonly transform: readonly number[]
}

/**
 * The text of one line, in the order in which it is read. Programs put Arabic and Hebrew onto a page as it looks, from
 * left to right and in the shapes that letters have there; numbers and Latin words in it go from left to right all the same.
 */
export function lineOf(pieces: readonly Piece[]): string {
  const rightToLeft = charactersIn(pieces.filter(isRightToLeft))
  const text =
    rightToLeft === 0
      ? pieces
      : rightToLeft * 2 > charactersIn(pieces)
        ? inRuns([...pieces].sort(byPlace).reverse(), (piece) => !isRightToLeft(piece))
        : inRuns(pieces, isRightToLeft)
  return text
    .map(({ str }) => str)
    .join('')
    .replace(/[\ufb1d-\ufdff\ufe70-\ufeff]+/g, (shapes) => shapes.normalize('NFKC'))
}

function charactersIn(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { str }) => sum + str.trim().length, 0)
}

const numeric = /^[\p{Nd}.,:/%٫٬-]+$/u

function isRightToLeft({ str, dir }: Piece): boolean {
  return dir === 'rtl' && str.trim() !== '' && !numeric.test(str)
}

function byPlace(a: Piece, b: Piece): number {
  return (a.transform[4] ?? 0) - (b.transform[4] ?? 0)
}

/** Turns around what is written the other way than the line, spaces within it too. */
function inRuns(pieces: readonly Piece[], isOther: (piece: Piece) => boolean): Piece[] {
  const ordered: Piece[] = []
  let run: Piece[] = []
  const end = () => {
    // Spaces behind it belong to the line.
    let last = run.length
    while (last > 0 && run[last - 1]?.str.trim() === '') last--
    ordered.push(...turned(run.slice(0, last)), ...run.slice(last))
    run = []
  }
  for (const piece of pieces) {
    const blank = piece.str.trim() === ''
    if (blank ? run.length > 0 : isOther(piece)) run.push(piece)
    else {
      end()
      ordered.push(piece)
    }
  }
  end()
  return ordered
}

/** By the places of its pieces: one that is in order already stays so. */
function turned(run: readonly Piece[]): readonly Piece[] {
  const rightToLeft = run.some(isRightToLeft)
  const sorted = [...run].sort(byPlace)
  return rightToLeft ? sorted.reverse() : sorted
}
