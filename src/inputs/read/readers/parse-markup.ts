import type { ParserOptions } from 'htmlparser2'
import { maxNesting } from './reader-limits.ts'
import { UnreadableError } from './unreadable-error.ts'

/** Receives the events of a parser. Names are in lower case for HTML, and unchanged (`w:p`) for XML. */
export interface MarkupHandler {
  onOpen?(name: string, attributes: Readonly<Record<string, string>>): void
  onText?(text: string): void
  onClose?(name: string): void
}

type Content = string | AsyncIterable<string>

/** Parses an HTML page with the tolerance of browsers. Library: htmlparser2. @throws UnreadableError */
export function parseHtml(content: Content, handler: MarkupHandler): Promise<void> {
  return parseMarkup(content, { xmlMode: false, decodeEntities: true }, handler)
}

/**
 * Parses an XHTML page with the same tolerance, because many are not well-formed. An element may end where it
 * begins (`<script/>`), and CDATA sections are text. Library: htmlparser2. @throws UnreadableError
 */
export function parseXhtml(content: Content, handler: MarkupHandler): Promise<void> {
  const options = { xmlMode: false, decodeEntities: true, recognizeSelfClosing: true, recognizeCDATA: true }
  return parseMarkup(content, options, handler)
}

/**
 * Parses XML; entities that the document defines are not expanded. Library: htmlparser2.
 * @throws UnreadableError
 */
export function parseXml(content: Content, handler: MarkupHandler): Promise<void> {
  return parseMarkup(content, { xmlMode: true, decodeEntities: true }, handler)
}

/** Parses markup in one pass without building a tree, so that memory does not grow with the document. */
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
  // Parses one chunk at a time, so that an error ends the parsing early.
  if (typeof content === 'string')
    for (let at = 0; at < content.length; at += chunkChars) parser.write(content.slice(at, at + chunkChars))
  else for await (const text of content) parser.write(text)
  parser.end()
}

/** Characters per chunk. */
const chunkChars = 65_536
