import { truncate } from './truncate.ts'

/** Returns a text on one line in quotation marks, or its beginning. @param maxLength UTF-16 code units */
export function quoteBeginning(text: string, maxLength: number): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return `“${line.length > maxLength ? `${truncate(line, maxLength - 1)}…` : line}”`
}
