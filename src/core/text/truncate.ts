/**
 * Returns the beginning of a text without splitting a character: a surrogate pair that does not fit is left
 * out.
 * @param maxLength UTF-16 code units, like `length`
 */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  const isPairCut =
    /[\ud800-\udbff]/.test(text[maxLength - 1] ?? '') && /[\udc00-\udfff]/.test(text[maxLength] ?? '')
  return text.slice(0, isPairCut ? maxLength - 1 : maxLength)
}
