import { hash } from 'node:crypto'
import { truncate } from '../text/truncate.ts'

/**
 * Sets a document apart from the prompt, so that instructions inside it are seen to be its own words. The tag carries
 * a hash of the document: it is the same in every run, and no document can contain its own closing tag, since
 * writing it in would change it.
 * @param tagName what it is, as the tag says it
 */
export function delimit(text: string, tagName = 'document'): string {
  const tag = `${tagName}-${hash('sha256', text).slice(0, 16)}`
  return `<${tag}>\n${text}\n</${tag}>`
}

/** File names and titles are the document's words too: one line of plain characters that can close no tag. */
export function sanitizeInline(text: string): string {
  return truncate(text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>]+/gu, ' ').trim(), 200)
}
