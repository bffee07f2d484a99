/**
 * Returns the beginning of a text without cutting a character in two: a surrogate pair that does not fit is left out.
 * @param most UTF-16 units, as `length` counts them
 */
export function truncate(text: string, most: number): string {
  if (text.length <= most) return text
  const isPairCut = /[\ud800-\udbff]/.test(text[most - 1] ?? '') && /[\udc00-\udfff]/.test(text[most] ?? '')
  return text.slice(0, isPairCut ? most - 1 : most)
}
