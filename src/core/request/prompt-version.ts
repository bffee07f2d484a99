/** Whether two prompts have the same name and `candidate` is the older one: `name@v9` before `name@v10`. */
export function isOlderPromptVersion(candidate: string, reference: string): boolean {
  const [a, b] = [parsePromptVersion(candidate), parsePromptVersion(reference)]
  return a.name === b.name && a.version < b.version
}

function parsePromptVersion(prompt: string): { name: string; version: number } {
  const at = prompt.lastIndexOf('@v')
  return { name: prompt.slice(0, at), version: Number(prompt.slice(at + 2)) }
}
