import type { ParserOptions } from 'htmlparser2'
import { deepestNesting } from './limits.ts'
import { Unreadable } from './unreadable.ts'

/** What is told of markup as it is read; names are in lower case for HTML, as written (`w:p`) for XML. */
export interface Markup {
  open?(name: string, attributes: Readonly<Record<string, string>>): void
  text?(text: string): void
  close?(name: string): void
}

type Content = string | AsyncIterable<string>

/** Reads a page. Library: htmlparser2, which forgives what browsers do. @throws Unreadable */
export function readHtml(content: Content, told: Markup): Promise<void> {
  return parse(content, { xmlMode: false, decodeEntities: true }, told)
}

/** Reads XML; entities that it defines itself are not expanded. Library: htmlparser2. @throws Unreadable */
export function readXml(content: Content, told: Markup): Promise<void> {
  return parse(content, { xmlMode: true, decodeEntities: true }, told)
}

/** From its beginning to its end, keeping nothing of it, so that memory does not grow with it. */
async function parse(content: Content, options: ParserOptions, told: Markup): Promise<void> {
  const { Parser } = await import('htmlparser2')
  let depth = 0
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (++depth > deepestNesting)
          throw new Unreadable('too_complex', `its tags are nested more than ${deepestNesting} deep`)
        told.open?.(name, attributes)
      },
      ontext: (text) => told.text?.(text),
      onclosetag(name) {
        depth--
        told.close?.(name)
      },
    },
    options,
  )
  // A part at a time, so that what is wrong shows before all of it is parsed.
  if (typeof content === 'string')
    for (let at = 0; at < content.length; at += part) parser.write(content.slice(at, at + part))
  else for await (const text of content) parser.write(text)
  parser.end()
}

/** Characters. */
const part = 65_536
