/** A piece of text on a page, as pdfjs finds it: often a single character. */
export interface TextPiece {
  readonly str: string
  /** Writing direction: `ltr` or `rtl`. */
  readonly dir: string
  /** Transformation matrix; its fifth number is the distance from the left. */
  readonly transform: readonly number[]
}

/**
 * Returns the text of one line in reading order. Programs place Arabic and Hebrew in visual order, from left
 * to right and in presentation forms. Numbers and Latin words in such text are read from left to right.
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
