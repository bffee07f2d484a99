import { parseHtml, parseXhtml } from './parse-markup.ts'
import { createTextBuilder, type TextBuilder } from './text-builder.ts'

/**
 * Returns the content of a page as text. Headings, lists, tables and preformatted text are written as
 * Markdown; navigation, scripts, styles and forms are left out. The content is `<main>`; otherwise
 * `<article>`, if it has most of the text; otherwise everything but footers and asides. A chapter of a book
 * (`xml`) is all content.
 */
export async function extractHtmlText(
  html: string | AsyncIterable<string>,
  { xml = false, title: withTitle = true }: { readonly xml?: boolean; readonly title?: boolean } = {},
): Promise<string> {
  const [allText, mainText, articleText] = [createTextBuilder(), createTextBuilder(), createTextBuilder()]
  const title = createTextBuilder()
  const path: Element[] = []
  let [hidden, inMain, inArticle, preformatted, cells] = [0, 0, 0, 0, 0]
  let inTitle = false
  const lists: { ordered: boolean; number: number }[] = []

  const addToTargets = (add: (to: TextBuilder) => void) => {
    if (hidden > 0) return
    add(allText)
    if (inMain > 0) add(mainText)
    if (inArticle > 0) add(articleText)
  }
  const breakAround = (name: string) => {
    const lines = lineBreaksByTag.get(name)
    // In a list item or table cell, a paragraph only begins a new line.
    if (lines !== undefined)
      addToTargets((to) => to.addBreak(lines > 1 && (lists.length > 0 || cells > 0) ? 1 : lines))
  }

  await (xml ? parseXhtml : parseHtml)(html, {
    onOpen(tagName, attributes) {
      const name = tagName.toLowerCase()
      const { role = '', hidden: hiddenAttribute } = attributes
      const isInContent = inMain + inArticle > 0
      const element = {
        hides:
          nonContentTags.has(name) ||
          peripheralRoles.has(role) ||
          hiddenAttribute !== undefined ||
          (!xml && !isInContent && peripheralTags.has(name)),
        main: !xml && (name === 'main' || role === 'main'),
        article: !xml && name === 'article',
      }
      path.push(element)
      if (element.hides) hidden++
      if (element.main) inMain++
      if (element.article) inArticle++
      if (name === 'title' && title.size() === 0) inTitle = true
      breakAround(name)
      if (name === 'pre') preformatted++
      // Separates a footnote number or an exponent from a number before it.
      if (name === 'sup') addToTargets((to) => to.addVerbatim('^'))
      if (name === 'br') addToTargets((to) => to.addBreak(1))
      if (name === 'ul' || name === 'ol')
        lists.push({ ordered: name === 'ol', number: Number.parseInt(attributes['start'] ?? '1', 10) || 1 })
      if (name === 'li') {
        const mark = nextListMark(lists)
        addToTargets((to) => to.addMark(mark))
      }
      const level = /^h([1-6])$/.exec(name)?.[1]
      if (level !== undefined) addToTargets((to) => to.addMark(`${'#'.repeat(Number(level))} `))
      if (name === 'tr') {
        cells = 1
        addToTargets((to) => to.startRow())
      }
      if ((name === 'td' || name === 'th') && cells++ > 1) addToTargets((to) => to.startCell())
      const { alt = '' } = attributes
      if (name === 'img' && alt.trim() !== '') addToTargets((to) => to.addWords(`[${alt.trim()}]`))
    },
    onText(text) {
      if (inTitle) title.addWords(text)
      addToTargets((to) => (preformatted > 0 ? to.addVerbatim(text) : to.addWords(text)))
    },
    onClose(written) {
      const name = written.toLowerCase()
      if (name === 'ul' || name === 'ol') lists.pop()
      if (name === 'tr') {
        cells = 0
        addToTargets((to) => to.startRow())
      }
      breakAround(name)
      if (name === 'pre') preformatted--
      if (name === 'title') inTitle = false
      const element = path.pop()
      if (element?.hides) hidden--
      if (element?.main) inMain--
      if (element?.article) inArticle--
    },
  })
  const content =
    mainText.size() > 0 ? mainText : articleText.size() * 3 > allText.size() * 2 ? articleText : allText
  return withTitle ? prependTitle(title.toText(), content.toText()) : content.toText()
}

interface Element {
  readonly hides: boolean
  readonly main: boolean
  readonly article: boolean
}

/** Prepends a page's title, unless the content begins with it. */
function prependTitle(title: string, content: string): string {
  const [first = ''] = content.split('\n', 1)
  return title === '' || content === '' || first.replace(/^#+ /, '') === title
    ? content
    : `# ${title}\n\n${content}`
}

/**
 * Returns the mark of the next item in the innermost list: `- `, or its number in an ordered list, indented
 * by two spaces for each list around it.
 */
function nextListMark(lists: { readonly ordered: boolean; number: number }[]): string {
  const list = lists.at(-1)
  const mark = list?.ordered ? `${list.number++}. ` : '- '
  return '  '.repeat(Math.max(0, lists.length - 1)) + mark
}

const nonContentTags: ReadonlySet<string> = new Set([
  'head',
  'script',
  'style',
  'template',
  'noscript',
  'svg',
  'nav',
  'iframe',
  'object',
  'canvas',
  'audio',
  'video',
  'button',
  'select',
  'textarea',
  'datalist',
])

/**
 * Tags around the content of a page; inside an article they are part of it. A header may contain the only
 * headline.
 */
const peripheralTags: ReadonlySet<string> = new Set(['footer', 'aside'])

const peripheralRoles: ReadonlySet<string> = new Set([
  'navigation',
  'search',
  'banner',
  'contentinfo',
  'doc-backlink',
])

/** Number of line breaks that separate an element from its surroundings. */
const lineBreaksByTag: ReadonlyMap<string, number> = new Map([
  ...[
    'p',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'ul',
    'ol',
    'dl',
    'table',
    'pre',
    'blockquote',
    'figure',
    'section',
    'article',
    'main',
    'header',
    'footer',
    'aside',
    'hr',
    'form',
    'fieldset',
    'details',
    'body',
  ].map((name) => [name, 2] as const),
  ...[
    'div',
    'li',
    'dt',
    'dd',
    'tr',
    'caption',
    'figcaption',
    'address',
    'summary',
    'legend',
    'center',
    'option',
  ].map((name) => [name, 1] as const),
])
