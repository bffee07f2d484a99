import type { ParserOptions } from 'htmlparser2'
import { maxNesting } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'

/** What is told of markup as it is read; names are in lower case for HTML, as written (`w:p`) for XML. */
export interface MarkupHandler {
  onOpen?(name: string, attributes: Readonly<Record<string, string>>): void
  onText?(text: string): void
  onClose?(name: string): void
}

type Content = string | AsyncIterable<string>

/** Reads a page. Library: htmlparser2, which forgives what browsers do. @throws UnreadableError */
export function parseHtml(content: Content, handler: MarkupHandler): Promise<void> {
  return parseMarkup(content, { xmlMode: false, decodeEntities: true }, handler)
}

/** Reads XML; entities that it defines itself are not expanded. Library: htmlparser2. @throws UnreadableError */
export function parseXml(content: Content, handler: MarkupHandler): Promise<void> {
  return parseMarkup(content, { xmlMode: true, decodeEntities: true }, handler)
}

/** From its beginning to its end, keeping nothing of it, so that memory does not grow with it. */
async function parseMarkup(content: Content, options: ParserOptions, handler: MarkupHandler): Promise<void> {
  const { Parser } = await import('htmlparser2')
  let depth = 0
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (++depth > maxNesting)
          throw new UnreadableError('too_complex', `its tags are nested more than ${maxNesting} deep`)
        handler.onOpen?.(name, attributes)
      },
      ontext: (text) => handler.onText?.(text),
      onclosetag(name) {
        depth--
        handler.onClose?.(name)
      },
    },
    options,
  )
  // A part at a time, so that what is wrong shows before all of it is parsed.
  if (typeof content === 'string')
    for (let at = 0; at < content.length; at += chunkChars) parser.write(content.slice(at, at + chunkChars))
  else for await (const text of content) parser.write(text)
  parser.end()
}

/** Characters. */
const chunkChars = 65_536
