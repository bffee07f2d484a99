import { windows1252Char } from '../../windows-1252.ts'
import { checkTextLength } from '../reader-limits.ts'
import { UnreadableError } from '../unreadable-error.ts'
import { readPositionList } from './position-list.ts'

/** A piece of the text in the main stream. */
export interface TextPiece {
  /** Positions in the text of its first character and of the one after its last. */
  readonly start: number
  readonly end: number
  /** Where its bytes begin in the main stream. */
  readonly position: number
  readonly bytesPerChar: 1 | 2
  readonly text: string
  /** Changes of properties that apply to all of it. */
  readonly changes: Buffer
}

/**
 * Returns the pieces of the text in their order. A file that was saved fast has many of them.
 * @param list the part of the file with the pieces
 * @throws UnreadableError if it is missing, or for more text than any model can read
 */
export function readPieces(main: Buffer, list: Buffer): readonly TextPiece[] {
  const changes: Buffer[] = []
  let at = 0
  while (list[at] === 1 && at + 3 <= list.length) {
    const length = list.readUInt16LE(at + 1)
    changes.push(list.subarray(at + 3, at + 3 + length))
    at += 3 + length
  }
  if (list[at] !== 2 || at + 5 > list.length)
    throw new UnreadableError('malformed', 'it is damaged: it does not say where its text is')
  const pieces = readPositionList(list.subarray(at + 5, at + 5 + list.readUInt32LE(at + 1)), 8)
  checkTextLength(pieces.length === 0 ? 0 : pieces.position(pieces.length))
  return Array.from({ length: pieces.length }, (_, n) => {
    const [start, end] = [pieces.position(n), pieces.position(n + 1)]
    if (end < start) throw new UnreadableError('malformed', 'it is damaged: its text is out of order')
    const record = pieces.record(n)
    const stored = record.readUInt32LE(2)
    const isCompressed = (stored & 0x4000_0000) !== 0
    const position = isCompressed ? (stored & 0x3fff_ffff) >> 1 : stored & 0x3fff_ffff
    const bytesPerChar = isCompressed ? 1 : 2
    const bytes = main.subarray(position, position + (end - start) * bytesPerChar)
    const text = isCompressed ? decodeSingleBytes(bytes) : bytes.toString('utf16le')
    const change = record.readUInt16LE(6)
    return {
      start,
      end,
      position,
      bytesPerChar,
      text,
      changes: ((change & 1) === 1 ? changes[change >> 1] : undefined) ?? Buffer.alloc(0),
    }
  })
}

function decodeSingleBytes(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\x9f]/g, (char) => windows1252Char(char.charCodeAt(0)))
}
