import { hash } from 'node:crypto'
import { truncate } from '../text/truncate.ts'

/**
 * Returns a document between tags, so that the model can tell its text from the instructions of the prompt.
 * The tag contains a hash of the document, so it is the same in every run. A document cannot contain its own
 * closing tag, because adding the tag would change the hash.
 * @param tagName the kind of text, as the first part of the tag
 */
export function delimit(text: string, tagName = 'document'): string {
  const tag = `${tagName}-${hash('sha256', text).slice(0, 16)}`
  return `<${tag}>\n${text}\n</${tag}>`
}

/**
 * Returns a file name or title as one line of at most 200 characters, without control characters and angle
 * brackets. Names are as untrusted as the document, and must not close a tag either.
 */
export function sanitizeInline(text: string): string {
  return truncate(text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>]+/gu, ' ').trim(), 200)
}
