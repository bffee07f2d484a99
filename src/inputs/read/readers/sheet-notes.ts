import { UnreadableError } from './unreadable-error.ts'

/** Returns the note in the place of a sheet that is not read. */
export function describeHiddenSheet(name: string): string {
  return `[hidden sheet ${name} skipped]`
}

/** Returns the error for a workbook whose only text is in hidden sheets. */
export function createHiddenSheetsError(): UnreadableError {
  return new UnreadableError(
    'no_text',
    'all of its text is in hidden sheets, which are not read; unhide them',
  )
}

/** Returns the note about a comment on a cell. */
export function formatComment(cell: string, words: string): string {
  return `[Comment on ${cell}: ${words.replace(/\s+/g, ' ').trim()}]`
}
