/** The texts of the notes of a document, by id. */
export type NoteTexts = Readonly<Record<'footnote' | 'endnote', ReadonlyMap<string, string>>>

/** Numbers the notes in the order in which the text refers to them. */
export interface Notes {
  /** Returns the number under which a note is shown; undefined if there is no such note, or it is empty. */
  number(kind: 'footnote' | 'endnote', id: string): number | undefined
  /** Returns the notes with their numbers, one per line. Call it after the last number. */
  toText(): string
}

/** Returns the notes of a document, none of which has a number yet. */
export function createNotes(texts: NoteTexts): Notes {
  const numbers = new Map<string, number>()
  const shown: string[] = []
  return {
    number(kind, id) {
      const text = texts[kind].get(id)?.trim()
      if (text === undefined || text === '') return undefined
      const known = numbers.get(`${kind} ${id}`)
      if (known !== undefined) return known
      shown.push(text.replace(/\n{2,}/g, '\n'))
      numbers.set(`${kind} ${id}`, shown.length)
      return shown.length
    },
    toText: () => shown.map((text, index) => `${index + 1}. ${text}`).join('\n'),
  }
}
