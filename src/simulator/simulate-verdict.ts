/**
 * A judge's answer, where a prompt asks for a verdict on two summaries: the one that shares more of the document's words
 * wins, which is a rule that anybody can check; undefined for any other prompt.
 */
export function simulateVerdict(prompt: string): string | undefined {
  if (!prompt.includes('\nVERDICT: TIE')) return undefined
  const [document = ''] = findDelimited(prompt, 'document')
  const [first, second, ...more] = findDelimited(prompt, 'summary')
  if (first === undefined || second === undefined || more.length > 0) return undefined
  const documentWords = listWords(document)
  const countShared = (text: string) => [...listWords(text)].filter((word) => documentWords.has(word)).length
  const [one, other] = [countShared(first), countShared(second)]
  const verdict = one === other ? 'TIE' : one > other ? 'FIRST' : 'SECOND'
  return `[simulated] Of the document's words the first has ${one}, the second ${other}.\nVERDICT: ${verdict}`
}

/** What stands between tags of that name; tags within it count for nothing, and the text is looked through once. */
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
