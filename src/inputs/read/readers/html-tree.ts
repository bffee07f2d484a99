import { parseHtml, parseXhtml } from './parse-markup.ts'
import { checkTextLength } from './reader-limits.ts'

/** An element of a page with its content. */
export interface HtmlElement {
  /** In lower case. */
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  children: readonly HtmlNode[]
  /** Whether the element is left out of the page's text. */
  isDropped: boolean
  /** Characters of its text, as `measureHtml` counts them; 0 before. */
  chars: number
  /** Characters of its text in links. */
  linkChars: number
  /** Characters of its text in paragraphs, as opposed to links, headings and labels. */
  proseChars: number
  /** Number of links with a text in it. */
  links: number
}

export type HtmlNode = HtmlElement | string

/**
 * Returns the elements and texts of a page below one root. The document is read as XHTML if it says so, or if
 * `xhtml` is set: then tags such as `<script/>` end where they begin.
 */
export async function parseHtmlTree(
  html: string | AsyncIterable<string>,
  { xhtml = false }: { readonly xhtml?: boolean } = {},
): Promise<HtmlElement> {
  const root = createElement('#root', noAttributes)
  const path = [root]
  let length = 0
  const parse = xhtml || (typeof html === 'string' && isXhtml(html)) ? parseXhtml : parseHtml
  await parse(html, {
    onOpen(name, attributes) {
      const element = createElement(name.toLowerCase(), attributes)
      addChild(path.at(-1), element)
      path.push(element)
    },
    onText(text) {
      length += text.length
      checkTextLength(length / 4)
      addChild(path.at(-1), text)
    },
    onClose() {
      path.pop()
    },
  })
  return root
}

/** Most elements have one child or none, so arrays are created late and small. */
function addChild(parent: HtmlElement | undefined, child: HtmlNode): void {
  if (parent === undefined) return
  if (parent.children.length === 0) parent.children = [child]
  else (parent.children as HtmlNode[]).push(child)
}

function createElement(name: string, given: HtmlElement['attributes']): HtmlElement {
  const attributes = Object.keys(given).length === 0 ? noAttributes : given
  return {
    name,
    attributes,
    children: noChildren,
    isDropped: false,
    chars: 0,
    linkChars: 0,
    proseChars: 0,
    links: 0,
  }
}

const noAttributes: HtmlElement['attributes'] = {}
const noChildren: readonly HtmlNode[] = []

/** Whether the document begins like XHTML. */
function isXhtml(html: string): boolean {
  const start = html.slice(0, 2048)
  return (
    /^\ufeff?\s*<\?xml\b/.test(start) ||
    /<!doctype[^>]*\bXHTML\b/i.test(start) ||
    /<(?:\w+:)?html\b[^>]*\sxmlns(?::\w+)?\s*=\s*["']http:\/\/www\.w3\.org\/1999\/xhtml/i.test(start)
  )
}

export interface HtmlVisitor {
  /** Called before the content of an element. @returns false to skip the content and `onLeave` */
  onEnter?(element: HtmlElement, parent: HtmlElement | undefined): boolean | undefined
  onText?(text: string, parent: HtmlElement): void
  onLeave?(element: HtmlElement, parent: HtmlElement | undefined): void
}

/** Visits an element and its content in document order, without recursion: pages may be nested deeply. */
export function walkHtml(root: HtmlElement, { onEnter, onText, onLeave }: HtmlVisitor): void {
  if (onEnter?.(root, undefined) === false) return
  const path: { readonly element: HtmlElement; next: number }[] = [{ element: root, next: 0 }]
  for (let place = path.at(-1); place !== undefined; place = path.at(-1)) {
    const { element } = place
    const child = element.children[place.next++]
    if (child === undefined) {
      path.pop()
      onLeave?.(element, path.at(-1)?.element)
    } else if (typeof child === 'string') onText?.(child, element)
    else if (onEnter?.(child, element) !== false) path.push({ element: child, next: 0 })
  }
}

/** Returns the text in an element, including elements that are dropped. */
export function textOf(element: HtmlElement): string {
  const parts: string[] = []
  walkHtml(element, { onText: (text) => void parts.push(text) })
  return parts.join('')
}
