import type { MarkedText } from '../../../core/document/mark.ts'
import { closeTableTag, openTableTag } from './html-tables.ts'
import type { HtmlElement, HtmlVisitor } from './html-tree.ts'
import { walkHtml } from './html-tree.ts'
import { renderFormula } from './math-renderer.ts'
import { createTextBuilder } from './text-builder.ts'

/**
 * Returns the text of the elements that are not dropped. Headings, lists, tables and preformatted text are
 * written as Markdown.
 */
export function renderHtml(root: HtmlElement): MarkedText {
  const text = createTextBuilder()
  const lists: List[] = []
  let preformatted = 0
  const breakAround = (name: string) => {
    const lines = lineBreaksByTag.get(name)
    // In a list item, a paragraph only begins a new line.
    if (lines !== undefined) text.addBreak(lines > 1 && lists.length > 0 ? 1 : lines)
  }
  const visitor: HtmlVisitor = {
    onEnter(element) {
      if (element.isDropped) return false
      const { name, attributes } = element
      if (name === 'math') {
        text.addWords(renderFormula(element))
        return false
      }
      breakAround(name)
      if (preformattedTags.has(name)) preformatted++
      // Separates a footnote number or an exponent from a number before it.
      if (name === 'sup') text.addVerbatim('^')
      if (name === 'rt' && element.chars > 0) text.addVerbatim('(')
      if (name === 'br') text.addBreak(1)
      if (name === 'ul' || name === 'ol')
        lists.push({ ordered: name === 'ol', number: Number.parseInt(attributes['start'] ?? '1', 10) || 1 })
      if (name === 'li') text.addMark(nextListMark(lists))
      const level = /^h([1-6])$/.exec(name)?.[1]
      if (level !== undefined) text.addMark(`${'#'.repeat(Number(level))} `)
      openTableTag(text, name, attributes)
      const { alt = '' } = attributes
      if (name === 'img' && alt.trim() !== '') text.addWords(`[${alt.trim()}]`)
      return true
    },
    onText: (marked) => {
      const content = marked.replaceAll('\u00ad', '')
      return preformatted > 0 ? text.addVerbatim(content) : text.addWords(content)
    },
    onLeave({ name, chars }) {
      if (name === 'rt' && chars > 0) text.addVerbatim(')')
      if (name === 'ul' || name === 'ol') lists.pop()
      closeTableTag(text, name)
      breakAround(name)
      if (preformattedTags.has(name)) preformatted--
    },
  }
  walkHtml(root, visitor)
  return text.toMarkedText()
}

interface List {
  readonly ordered: boolean
  number: number
}

/**
 * Returns the mark of the next item in the innermost list: `- `, or its number in an ordered list, indented
 * by two spaces for each list around it.
 */
function nextListMark(lists: readonly List[]): string {
  const list = lists.at(-1)
  const mark = list?.ordered ? `${list.number++}. ` : '- '
  return '  '.repeat(Math.max(0, lists.length - 1)) + mark
}

const preformattedTags: ReadonlySet<string> = new Set(['pre', 'textarea', 'xmp', 'listing', 'plaintext'])

/** Number of line breaks that separate an element from its surroundings. */
const lineBreaksByTag: ReadonlyMap<string, number> = new Map([
  ...'p h1 h2 h3 h4 h5 h6 ul ol dl table pre textarea xmp listing plaintext blockquote figure section article main header footer aside nav hr form fieldset details noscript body'
    .split(' ')
    .map((name) => [name, 2] as const),
  ...'div li dt dd tr caption figcaption address summary legend center option dialog'
    .split(' ')
    .map((name) => [name, 1] as const),
])

/** Whether an element begins and ends a line. */
export function isBlock(name: string): boolean {
  return lineBreaksByTag.has(name)
}
