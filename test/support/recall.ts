/** Returns the words and numbers of a text. */
const splitWords = (text: string) =>
  text.match(/[\p{L}\p{N}][\p{L}\p{N}.,:]*[\p{L}\p{N}]|[\p{L}\p{N}]/gu) ?? []

/** Returns the share, from 0 to 1, of the expected words that the text contains, counting repetitions. */
export function measureRecall(expected: string, text: string): number {
  const left = new Map<string, number>()
  for (const word of splitWords(text)) left.set(word, (left.get(word) ?? 0) + 1)
  const words = splitWords(expected)
  const found = words.filter((word) => {
    const count = left.get(word) ?? 0
    left.set(word, count - 1)
    return count > 0
  })
  return found.length / words.length
}
