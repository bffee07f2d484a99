/**
 * What begins at a mark. `line`: from here on, the lines of the text are the lines of the file, and the label
 * is the number of the first one.
 */
export type MarkKind =
  | 'document'
  | 'page'
  | 'slide'
  | 'sheet'
  | 'chapter'
  | 'message'
  | 'cell'
  | 'row'
  | 'heading'
  | 'line'

/** Where a part of a document begins in its text. */
export interface Mark {
  /** The index in the text of the first character of the part. */
  readonly offset: number
  /** What the part is. */
  readonly kind: MarkKind
  /** The number or the name of the part: `3` for a page, `Budget` for a sheet. */
  readonly label: string
}

/** A text, and where its parts begin: sorted by offset, an outer part before the parts in it. */
export interface MarkedText {
  /** The text. */
  readonly text: string
  /** Where its parts begin. */
  readonly marks: readonly Mark[]
}

/** Whether parts of this kind contain rows and headings, and do not contain each other. */
export function isOuterMark({ kind }: Pick<Mark, 'kind'>): boolean {
  return kind !== 'row' && kind !== 'heading' && kind !== 'line'
}

/** Maximum number of marks of one document, so that a hostile one takes no more memory than its text. */
const maxMarks = 100_000

/** Collects the marks of one document, in order. */
export interface MarkList {
  add(mark: Mark): void
  /** Returns the marks; without rows and headings if there are too many, or none if there are still too many. */
  toMarks(): readonly Mark[]
}

/** Returns an empty list of marks. */
export function createMarkList(): MarkList {
  let marks: Mark[] = []
  let detail: 'all' | 'outer' | 'none' = 'all'
  return {
    add(mark) {
      if (detail !== 'all' && (detail === 'none' || !isOuterMark(mark))) return
      marks.push(mark)
      if (marks.length <= maxMarks) return
      // Dropping only the later ones would give their text the position of the last one that is kept.
      detail = detail === 'all' ? 'outer' : 'none'
      marks = detail === 'none' ? [] : marks.filter(isOuterMark)
    },
    toMarks: () => marks,
  }
}

/** A part of a document to join with others; without a kind, it gets no mark. */
export interface MarkedPart {
  readonly text: string
  /** The marks inside the part; offsets are relative to its text. */
  readonly marks?: readonly Mark[]
  readonly kind?: MarkKind
  readonly label?: string
}

/** Joins parts in order, each with a mark at its beginning. Parts without text are left out. */
export function joinMarked(parts: Iterable<MarkedPart>, separator: string): MarkedText {
  const texts: string[] = []
  const joined = createMarkList()
  let offset = 0
  for (const { text, marks = [], kind, label = '' } of parts) {
    if (text === '') continue
    if (kind !== undefined) joined.add({ offset, kind, label })
    for (const mark of marks) joined.add({ ...mark, offset: offset + mark.offset })
    texts.push(text)
    offset += text.length + separator.length
  }
  return { text: texts.join(separator), marks: joined.toMarks() }
}

/**
 * Returns a marked text with each stretch between two marks edited, so that the marks stay at their parts.
 * @param edit returns the new text of a stretch, for example without encoded images
 */
export function editMarked(marked: MarkedText, edit: (text: string) => string): MarkedText {
  const { text, marks } = marked
  if (edit(text) === text) return marked
  const edited: Mark[] = []
  const pieces: string[] = []
  let [start, length] = [0, 0]
  const addPiece = (end?: number) => {
    const piece = edit(text.slice(start, end))
    pieces.push(piece)
    length += piece.length
  }
  for (const mark of marks) {
    if (mark.offset > start) {
      addPiece(mark.offset)
      start = mark.offset
    }
    edited.push({ ...mark, offset: length })
  }
  addPiece()
  return { text: pieces.join(''), marks: edited }
}
