/** The place of a cell, from 0. */
export interface CellPosition {
  readonly row: number
  readonly column: number
}

/**
 * Returns the formula of a cell that shares the formula of another cell: its relative references are moved by
 * the distance between the two.
 */
export function moveFormula(formula: string, from: CellPosition, to: CellPosition): string {
  return formula.replace(
    referenceOrQuote,
    (all: string, fixedColumn?: string, letters?: string, fixedRow?: string, digits?: string) => {
      // Quoted text, names of sheets and functions are not references.
      if (letters === undefined) return all
      const column =
        fixedColumn === '$' ? letters : nameColumn(parseLetters(letters) + to.column - from.column)
      const row = fixedRow === '$' ? digits : Number(digits) + to.row - from.row
      return `${fixedColumn}${column}${fixedRow}${row}`
    },
  )
}

const referenceOrQuote = /"[^"]*"|'[^']*'|(?<![\w.$])(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![\w.(])/g

/** Returns the place that a reference such as `B7` names; undefined if it names none. */
export function parsePosition(reference = ''): CellPosition | undefined {
  const [, letters, digits] = /^([A-Z]{1,3})(\d{0,7})$/.exec(reference) ?? []
  return letters === undefined ? undefined : { column: parseLetters(letters), row: Number(digits) - 1 }
}

function parseLetters(letters: string): number {
  return [...letters].reduce((column, letter) => column * 26 + letter.charCodeAt(0) - 64, 0) - 1
}

/** Returns the letters of a column from 0: `A` for 0, `AA` for 26. */
export function nameColumn(column: number): string {
  const letters: string[] = []
  for (let rest = column + 1; rest > 0; rest = Math.floor((rest - 1) / 26))
    letters.unshift(String.fromCharCode(65 + ((rest - 1) % 26)))
  return letters.join('')
}
