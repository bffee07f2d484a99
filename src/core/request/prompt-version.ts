/** Whether one `name@v1` is of the same prompt as another and came before it: `v9` before `v10`. */
export function isOlder(one: string, other: string): boolean {
  const [a, b] = [parts(one), parts(other)]
  return a.name === b.name && a.version < b.version
}

function parts(prompt: string): { name: string; version: number } {
  const at = prompt.lastIndexOf('@v')
  return { name: prompt.slice(0, at), version: Number(prompt.slice(at + 2)) }
}
