import type { CompoundFolder } from '../compound-file.ts'
import { UnreadableError } from '../unreadable-error.ts'

/** The streams of a .doc file, and where its parts are in them. */
export interface WordFile {
  /** The stream with the text and the properties of characters and paragraphs. */
  readonly main: Buffer
  /** The stream with everything else, such as styles, lists and notes. */
  readonly table: Buffer
  /** The stream with form fields and long properties. */
  readonly data: Buffer
  /** Numbers of characters of the stories, in their order. */
  readonly lengths: Readonly<Record<StoryName, number>>
  /** Returns a part of the table stream; an empty one if the file has no such part. */
  readonly findPart: (part: keyof typeof parts) => Buffer
  /** Returns the table stream from the end of a part on. */
  readonly findAfter: (part: keyof typeof parts) => Buffer
}

/** The texts of a document in their order. */
export const storyNames = ['body', 'footnotes', 'headers', 'macros', 'comments', 'endnotes', 'boxes'] as const
export type StoryName = (typeof storyNames)[number]

/** The positions of parts in the list of positions at the beginning of the file. */
const parts = {
  styles: 1,
  footnoteReferences: 2,
  footnoteTexts: 3,
  headerTexts: 11,
  characterProperties: 12,
  paragraphProperties: 13,
  fonts: 15,
  pieces: 33,
  shapes: 40,
  endnoteReferences: 46,
  endnoteTexts: 47,
  boxTexts: 56,
  lists: 73,
  listOverrides: 74,
} as const

const positionsAt = 0x9a
const lengthsAt = 0x4c
const [wordMagic, oldWordMagic] = [0xa5ec, 0xa5dc]

/**
 * Opens a file of Word 97 to 2003.
 * @see https://learn.microsoft.com/openspecs/office_file_formats/ms-doc
 * @throws UnreadableError for a file with a password, or of an older version
 */
export function openWordFile(file: CompoundFolder): WordFile {
  const main = file.streams.get('worddocument')?.read() ?? Buffer.alloc(0)
  const magic = main.length < 0x22 ? 0 : main.readUInt16LE(0)
  if (magic === oldWordMagic)
    throw new UnreadableError(
      'too_old',
      'it is a file of Word 95 or older; convert it to .docx, for example: soffice --headless --convert-to docx FILE',
    )
  if (magic !== wordMagic || main.length < positionsAt + 75 * 8)
    throw new UnreadableError('malformed', 'it is damaged: it does not begin like a Word document')
  const flags = main.readUInt16LE(0x0a)
  if ((flags & 0x100) !== 0) throw new UnreadableError('encrypted', 'it is protected by a password')
  const table = file.streams.get((flags & 0x200) === 0 ? '0table' : '1table')?.read() ?? Buffer.alloc(0)
  const locate = (part: keyof typeof parts) => {
    const at = positionsAt + parts[part] * 8
    return { start: main.readUInt32LE(at), length: main.readUInt32LE(at + 4) }
  }
  return {
    main,
    table,
    data: file.streams.get('data')?.read() ?? Buffer.alloc(0),
    lengths: Object.fromEntries(
      storyNames.map((name, index) => [name, main.readUInt32LE(lengthsAt + index * 4)]),
    ) as Record<StoryName, number>,
    findPart(part) {
      const { start, length } = locate(part)
      return table.subarray(start, start + length)
    },
    findAfter(part) {
      const { start, length } = locate(part)
      return table.subarray(start + length)
    },
  }
}
