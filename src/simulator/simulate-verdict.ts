/** The label of the line that names the better summary, as the judge prompt asks for it. */
const answerLabel = 'VERDICT:'

/**
 * Returns a judge's answer if a prompt asks which of two summaries is better, or else undefined. The summary
 * that shares more words with the document wins, a rule that a test can verify.
 */
export function simulateVerdict(prompt: string): string | undefined {
  if (!prompt.includes(`\n${answerLabel} TIE`)) return undefined
  const [document = ''] = findDelimited(prompt, 'document')
  const [first, second, ...more] = findDelimited(prompt, 'summary')
  if (first === undefined || second === undefined || more.length > 0) return undefined
  const documentWords = listWords(document)
  const countShared = (text: string) => [...listWords(text)].filter((word) => documentWords.has(word)).length
  const [one, other] = [countShared(first), countShared(second)]
  const verdict = one === other ? 'TIE' : one > other ? 'FIRST' : 'SECOND'
  return `[simulated] Of the document's words the first has ${one}, the second ${other}.\n${answerLabel} ${verdict}`
}

/** Returns the texts between tags of that name. Tags inside a text are ignored. Scans the prompt once. */
function findDelimited(prompt: string, name: string): string[] {
  const texts: string[] = []
  let open: { readonly tag: string; readonly from: number } | undefined
  for (const { 0: whole, 1: slash, 2: tag = '', index } of prompt.matchAll(
    new RegExp(`<(/?)(${name}-[0-9a-f]{16})>`, 'g'),
  )) {
    if (open === undefined && slash === '') open = { tag, from: index + whole.length + 1 }
    else if (slash === '/' && tag === open?.tag) {
      texts.push(prompt.slice(open.from, index - 1))
      open = undefined
    }
  }
  return texts
}

function listWords(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/\p{L}{4,}/gu) ?? [])
}
