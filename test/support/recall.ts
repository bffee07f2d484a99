/** Words in the order of nothing: what a summary could be about. */
const splitWords = (text: string) =>
  text.match(/[\p{L}\p{N}][\p{L}\p{N}.,:]*[\p{L}\p{N}]|[\p{L}\p{N}]/gu) ?? []

/** Which share of the words is found back, each as often as it is there. */
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
