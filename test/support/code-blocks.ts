import { readFile } from 'node:fs/promises'

/** Reads the code blocks of this language from a page of the documentation. */
export async function readCodeBlocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(new URL(`../../docs/${page}`, import.meta.url), 'utf8')
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))
  return Array.from(blocks, ([, block = '']) => block)
}
