import { isBlock } from './html-renderer.ts'
import { type HtmlElement, walkHtml } from './html-tree.ts'

export type TextSize = Pick<HtmlElement, 'chars' | 'linkChars' | 'proseChars'>

/** Whether an element has more than a third of a page's text outside of links, or of its paragraphs. */
export function hasMostText(element: TextSize, page: TextSize): boolean {
  return (
    (page.proseChars > 0 && element.proseChars * 3 > page.proseChars) ||
    (element.chars - element.linkChars) * 3 > page.chars - page.linkChars
  )
}

/** Counts the characters of each element that is not dropped: `chars`, `linkChars`, `proseChars`; and its links. */
export function measureHtml(root: HtmlElement): void {
  let links = 0
  // The text of the innermost block, without the blocks in it.
  const blocks: { chars: number; linkChars: number }[] = []
  const isLink = ({ name, attributes }: HtmlElement) => name === 'a' && attributes['href'] !== undefined
  walkHtml(root, {
    onEnter(element, parent) {
      if (element.isDropped) return false
      element.chars = 0
      element.linkChars = 0
      element.proseChars = 0
      element.links = 0
      if (parent === undefined || isBlock(element.name) || isCell(element.name))
        blocks.push({ chars: 0, linkChars: 0 })
      if (isLink(element)) links++
      return true
    },
    onText(text, parent) {
      const chars = weigh(text)
      parent.chars += chars
      if (links > 0) parent.linkChars += chars
      const block = blocks.at(-1)
      if (block === undefined) return
      block.chars += chars
      if (links > 0) block.linkChars += chars
    },
    onLeave(element, parent) {
      if (isLink(element)) links--
      if (parent === undefined || isBlock(element.name) || isCell(element.name)) {
        const { chars = 0, linkChars = 0 } = blocks.pop() ?? {}
        if (chars - linkChars >= minProseChars && linkChars * 2 < chars && !/^h[1-6]$/.test(element.name))
          element.proseChars += chars
      }
      if (parent === undefined) return
      parent.chars += element.chars
      parent.linkChars += element.linkChars
      parent.proseChars += element.proseChars
      parent.links += element.links + (isLink(element) && element.chars > 0 ? 1 : 0)
    },
  })
}

function isCell(name: string): boolean {
  return name === 'td' || name === 'th'
}

/** A paragraph has at least this many characters outside of links. */
const minProseChars = 80

/** Returns the number of characters without white space; a Chinese, Japanese or Korean one counts three times. */
function weigh(text: string): number {
  const solid = text.replace(/\s+/g, '')
  return solid.length + 2 * (solid.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0)
}
