import { readPositionList } from './position-list.ts'

/** The properties of a range of bytes in the main stream. */
export interface PropertyRun {
  readonly start: number
  readonly end: number
  /** A paragraph's style; undefined for characters. */
  readonly style: number | undefined
  readonly bytes: Buffer
}

/** Finds the properties of characters or paragraphs by the position of their bytes. */
export interface PropertyRuns {
  /** Returns the run that contains a position, or undefined. */
  find(position: number): PropertyRun | undefined
  /** Returns where the first run after a position begins, or infinity. */
  findNextStart(position: number): number
}

const pageBytes = 512

/** Reads the pages of properties that a list refers to. @param kind of properties */
export function readPropertyRuns(
  main: Buffer,
  list: Buffer,
  kind: 'characters' | 'paragraphs',
): PropertyRuns {
  const pages = readPositionList(list, 4)
  const runs: PropertyRun[] = []
  // A page is in the list once, and the main stream holds all of them.
  const count = Math.min(pages.length, Math.ceil(main.length / pageBytes))
  for (let n = 0; n < count; n++) {
    const number = pages.record(n).readUInt32LE(0) & 0x3fffff
    const page = main.subarray(number * pageBytes, (number + 1) * pageBytes)
    if (page.length === pageBytes) runs.push(...readPage(page, kind))
  }
  runs.sort((a, b) => a.start - b.start)
  return {
    find(position) {
      const run = runs[countUntil(runs, position) - 1]
      return run !== undefined && position < run.end ? run : undefined
    },
    findNextStart: (position) => runs[countUntil(runs, position)]?.start ?? Number.POSITIVE_INFINITY,
  }
}

function readPage(page: Buffer, kind: 'characters' | 'paragraphs'): readonly PropertyRun[] {
  const entryBytes = kind === 'characters' ? 1 : 13
  const count = Math.min(page.readUInt8(pageBytes - 1), Math.floor((pageBytes - 5) / (4 + entryBytes)))
  return Array.from({ length: count }, (_, n) => {
    const at = page.readUInt8((count + 1) * 4 + n * entryBytes) * 2
    return {
      start: page.readUInt32LE(n * 4),
      end: page.readUInt32LE((n + 1) * 4),
      ...(kind === 'characters' ? readCharacters(page, at) : readParagraph(page, at)),
    }
  })
}

const none = { style: undefined, bytes: Buffer.alloc(0) }

function readCharacters(page: Buffer, at: number): Pick<PropertyRun, 'style' | 'bytes'> {
  if (at === 0) return none
  return { style: undefined, bytes: page.subarray(at + 1, at + 1 + page.readUInt8(at)) }
}

function readParagraph(page: Buffer, at: number): Pick<PropertyRun, 'style' | 'bytes'> {
  if (at === 0) return none
  const words = page.readUInt8(at)
  const [start, length] = words === 0 ? [at + 2, 2 * (page[at + 1] ?? 0)] : [at + 1, 2 * words - 1]
  if (length < 2 || start + 2 > page.length) return none
  return { style: page.readUInt16LE(start), bytes: page.subarray(start + 2, start + length) }
}

/** Returns how many runs begin at a position or before it. */
function countUntil(runs: readonly PropertyRun[], position: number): number {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((runs[middle]?.start ?? 0) <= position) low = middle + 1
    else high = middle
  }
  return low
}
