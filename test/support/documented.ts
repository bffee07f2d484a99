import { readFile } from 'node:fs/promises'

/** The first block of this language on a page of the documentation. */
export async function documented(page: string, language: string): Promise<string> {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(text)?.[1]
  if (block === undefined) throw new Error(`docs/${page} has no block of ${language}`)
  return block
}
