/**
 * A judge's answer, where a prompt asks for a verdict on two summaries: the one that shares more of the document's words
 * wins, which is a rule that anybody can check; undefined for any other prompt.
 */
export function judged(prompt: string): string | undefined {
  const [document = ''] = fenced(prompt, 'document')
  const [first, second, ...more] = fenced(prompt, 'summary')
  if (!prompt.includes('\nVERDICT: TIE') || first === undefined || second === undefined || more.length > 0)
    return undefined
  const known = wordsIn(document)
  const shared = (text: string) => [...wordsIn(text)].filter((word) => known.has(word)).length
  const [one, other] = [shared(first), shared(second)]
  const verdict = one === other ? 'TIE' : one > other ? 'FIRST' : 'SECOND'
  return `[simulated] Of the document's words the first has ${one}, the second ${other}.\nVERDICT: ${verdict}`
}

function fenced(prompt: string, name: string): string[] {
  const fence = new RegExp(`<(${name}-[0-9a-f]{16})>\\n([\\s\\S]*?)\\n</\\1>`, 'g')
  return [...prompt.matchAll(fence)].map(([, , text = '']) => text)
}

function wordsIn(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/\p{L}{4,}/gu) ?? [])
}
