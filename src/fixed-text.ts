import { fstatSync, readFileSync, writeSync } from 'node:fs'
import { resolveAsset } from './assets.ts'

/** The widths of terminals for which the build stores the help of the program, in characters. */
export const storedColumns = { min: 40, max: 120, default: 100 } as const

/** Separates the stored texts. */
export const textSeparator = '\f'

/**
 * Prints the version or the help of the program without loading the program, which would take ten times as long.
 * @param getColumns returns the width of the terminal that stdout is; undefined or 0 if it is not known
 * @returns false if the arguments ask for something else, or if stdout cannot be written to: the program reports that
 */
export function printFixedText(argv: readonly string[], getColumns: () => number | undefined): boolean {
  const [word = '', ...more] = argv
  const findText = Object.hasOwn(texts, word) && more.length === 0 ? texts[word] : undefined
  try {
    let rest = findText?.(getColumns)
    if (rest === undefined) return false
    while (rest.length > 0) rest = rest.subarray(writeSync(1, rest))
    return true
  } catch {
    return false
  }
}

const texts: Readonly<Record<string, typeof readHelp>> = {
  '--version': readVersion,
  '-V': readVersion,
  '--help': readHelp,
  '-h': readHelp,
  help: readHelp,
}

function readVersion(): Buffer {
  const { version } = JSON.parse(readFileSync(resolveAsset('../package.json'), 'utf8')) as { version: string }
  return Buffer.from(`${version}\n`)
}

/** Returns the stored help; undefined for a narrow terminal. */
function readHelp(getColumns: () => number | undefined): Buffer | undefined {
  // Files and pipes have no width. Asking Node for it would load all that a terminal needs.
  const known = fstatSync(1).isCharacterDevice() ? getColumns() : undefined
  const columns = Math.min(known || storedColumns.default, storedColumns.max)
  if (columns < storedColumns.min) return undefined
  const stored = readFileSync(resolveAsset('../dist/help.txt'))
  let start = 0
  for (let n = storedColumns.min; n < columns; n++) start = stored.indexOf(textSeparator, start) + 1
  const end = stored.indexOf(textSeparator, start)
  return stored.subarray(start, end === -1 ? undefined : end)
}
