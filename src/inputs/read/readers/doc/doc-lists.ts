import type { WordList } from '../word/word-numbering.ts'
import type { WordFile } from './word-file.ts'

type Levels = Map<number, WordList['levels'] extends ReadonlyMap<number, infer Level> ? Level : never>

/** Returns the lists of a file by their numbers, from `1`, as paragraphs refer to them. */
export function readDocLists({
  findPart,
  findAfter,
}: Pick<WordFile, 'findPart' | 'findAfter'>): ReadonlyMap<string, WordList> {
  const definitions = readDefinitions(findPart('lists'), findAfter('lists'))
  const part = findPart('listOverrides')
  const lists = new Map<string, WordList>()
  if (part.length < 4) return lists
  const count = Math.min(part.readUInt32LE(0), Math.floor((part.length - 4) / overrideBytes))
  const reader = createReader(part, 4 + count * overrideBytes)
  for (let n = 0; n < count; n++) {
    const at = 4 + n * overrideBytes
    const id = part.readInt32LE(at)
    const levels: Levels = new Map(definitions.get(id))
    const startOverrides = new Map<number, number>()
    const changed = part.readUInt8(at + 12)
    reader.skip(4)
    for (let change = 0; change < changed && reader.has(8); change++) {
      const start = reader.readInt32()
      const flags = reader.readUInt32()
      const level = flags & 0xf
      if ((flags & 0x20) !== 0) readLevel(reader, levels, level)
      else if ((flags & 0x10) !== 0) startOverrides.set(level, start)
    }
    lists.set(String(n + 1), { countersId: String(id), levels, startOverrides })
  }
  return lists
}

const [definitionBytes, overrideBytes, levelBytes] = [28, 16, 28]

/** Reads the definitions of lists. Their levels follow the part of the file. */
function readDefinitions(part: Buffer, after: Buffer): ReadonlyMap<number, Levels> {
  const definitions = new Map<number, Levels>()
  if (part.length < 2) return definitions
  const count = Math.min(part.readUInt16LE(0), Math.floor((part.length - 2) / definitionBytes))
  const reader = createReader(after, 0)
  for (let n = 0; n < count; n++) {
    const at = 2 + n * definitionBytes
    const levels: Levels = new Map()
    const isSimple = (part.readUInt8(at + 26) & 1) === 1
    for (let level = 0; level < (isSimple ? 1 : 9); level++) {
      const style = part.readUInt16LE(at + 8 + level * 2)
      readLevel(reader, levels, level, style === noStyle ? undefined : String(style))
    }
    definitions.set(part.readInt32LE(at), levels)
  }
  return definitions
}

const noStyle = 0xfff

function readLevel(reader: ByteReader, levels: Levels, level: number, styleId?: string): void {
  if (!reader.has(levelBytes)) return
  const head = reader.readBytes(levelBytes)
  reader.skip(head.readUInt8(24) + head.readUInt8(25))
  const text = reader.has(2) ? reader.readBytes(2 * reader.readUInt16()).toString('utf16le') : ''
  const flags = head.readUInt8(5)
  levels.set(level, {
    start: head.readInt32LE(0),
    format: formats.get(head.readUInt8(4)) ?? 'decimal',
    // A character from 0 to 8 stands for the number of the level.
    text: text.replace(/[\0-\x08]/g, (char) => `%${char.charCodeAt(0) + 1}`),
    isLegal: (flags & 4) !== 0,
    restartAfter: (flags & 8) === 0 ? undefined : head.readUInt8(26),
    styleId,
  })
}

const formats: ReadonlyMap<number, string> = new Map([
  [1, 'upperRoman'],
  [2, 'lowerRoman'],
  [3, 'upperLetter'],
  [4, 'lowerLetter'],
  [5, 'ordinal'],
  [9, 'chicago'],
  [22, 'decimalZero'],
  [23, 'bullet'],
  [24, 'ganada'],
  [46, 'arabicAlpha'],
  [47, 'hebrew2'],
  [58, 'russianLower'],
  [59, 'russianUpper'],
  [255, 'none'],
])

interface ByteReader {
  /** Whether this many bytes are left. */
  has(bytes: number): boolean
  skip(bytes: number): void
  readBytes(bytes: number): Buffer
  readUInt16(): number
  readUInt32(): number
  readInt32(): number
}

function createReader(bytes: Buffer, start: number): ByteReader {
  let at = start
  const readBytes = (count: number) => {
    at += count
    return bytes.subarray(at - count, at)
  }
  return {
    has: (count) => at + count <= bytes.length,
    skip: (count) => {
      at += count
    },
    readBytes,
    readUInt16: () => readBytes(2).readUInt16LE(0),
    readUInt32: () => readBytes(4).readUInt32LE(0),
    readInt32: () => readBytes(4).readInt32LE(0),
  }
}
