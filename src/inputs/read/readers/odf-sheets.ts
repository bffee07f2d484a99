import { createHiddenSheetsError, describeHiddenSheet, formatComment } from './sheet-notes.ts'
import { createTextBuilder, type TextBuilder } from './text-builder.ts'

/** Reads what is in the sheets of a spreadsheet besides its cells: their names, comments, text boxes, charts. */
export interface OdfSheets {
  startSheet(name: string): void
  endSheet(): void
  skipSheet(name: string): void
  /**
   * Reports the beginning of a tag in a sheet. Text in a comment or a drawing goes to a separate builder, and
   * is added after the sheet.
   * @param getPosition returns the cell of a comment
   */
  open(name: string, getPosition: () => string): void
  close(): void
  /** Returns the builder of the comment or drawing that is open. */
  getNote(): TextBuilder | undefined
  /** @throws UnreadableError if all of the text is in hidden sheets */
  checkVisibleText(): void
}

/** Returns a reader of sheets that adds them to a text. */
export function createOdfSheets(text: TextBuilder): OdfSheets {
  let notes: string[] = []
  let note: { readonly text: TextBuilder; readonly position: string | undefined } | undefined
  let [noteDepth, sizeBefore, visibleSize, hiddenSheets] = [0, 0, 0, 0]
  return {
    startSheet(name) {
      text.addBreak(2)
      text.markPosition('sheet', name)
      text.addMark('## ')
      text.addWords(name)
      text.addBreak(1)
      sizeBefore = text.size()
    },
    endSheet() {
      for (const words of notes) {
        text.addBreak(1)
        text.addVerbatim(words)
        text.addBreak(1)
      }
      notes = []
      visibleSize += text.size() - sizeBefore
    },
    skipSheet(name) {
      hiddenSheets++
      text.addBreak(2)
      text.addWords(describeHiddenSheet(name))
    },
    open(name, getPosition) {
      if (noteDepth === 0) {
        const isComment = name === 'office:annotation'
        if (!isComment && !name.startsWith('draw:')) return
        note = { text: createTextBuilder(), position: isComment ? getPosition() : undefined }
      }
      noteDepth++
    },
    close() {
      if (note === undefined || --noteDepth > 0) return
      const words = note.text.toText()
      if (words !== '') notes.push(note.position === undefined ? words : formatComment(note.position, words))
      note = undefined
    },
    getNote: () => note?.text,
    checkVisibleText() {
      if (hiddenSheets > 0 && visibleSize === 0) throw createHiddenSheetsError()
    },
  }
}
