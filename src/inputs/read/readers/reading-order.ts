/** A piece of text on a page, as pdfjs finds it: often a single character. */
export interface TextPiece {
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
export function joinInReadingOrder(pieces: readonly TextPiece[]): string {
  const rightToLeft = countCharacters(pieces.filter(isRightToLeft))
  const ordered =
    rightToLeft === 0
      ? pieces
      : rightToLeft * 2 > countCharacters(pieces)
        ? reverseRuns([...pieces].sort(comparePosition).reverse(), (piece) => !isRightToLeft(piece))
        : reverseRuns(pieces, isRightToLeft)
  return ordered
    .map(({ str }) => str)
    .join('')
    .replace(/[\ufb1d-\ufdff\ufe70-\ufeff]+/g, (shapes) => shapes.normalize('NFKC'))
}

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

/** Turns around what is written the other way than the line, spaces within it too. */
function reverseRuns(pieces: readonly TextPiece[], isOther: (piece: TextPiece) => boolean): TextPiece[] {
  const ordered: TextPiece[] = []
  let run: TextPiece[] = []
  const endRun = () => {
    // Spaces behind it belong to the line.
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

/** By the places of its pieces: one that is in order already stays so. */
function orderRun(run: readonly TextPiece[]): readonly TextPiece[] {
  const rightToLeft = run.some(isRightToLeft)
  const sorted = [...run].sort(comparePosition)
  return rightToLeft ? sorted.reverse() : sorted
}
