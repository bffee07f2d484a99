import { type Paragraphs, paragraphs } from './paragraphs.ts'
import { readHtml, readXml } from './parse-markup.ts'

/**
 * The content of a page as text: headings, lists, tables and preformatted text keep their form, as Markdown has it;
 * navigation, scripts, style and forms are left out. What `<main>` holds is the content, or else `<article>` where
 * that is most of the page, or else everything but the page's own footer and asides.
 */
export async function htmlText(
  html: string | AsyncIterable<string>,
  { xml = false, title: withTitle = true }: { readonly xml?: boolean; readonly title?: boolean } = {},
): Promise<string> {
  const [all, main, articles] = [paragraphs(), paragraphs(), paragraphs()]
  const title = paragraphs()
  const path: Element[] = []
  let [hidden, inMain, inArticle, preformatted, cells] = [0, 0, 0, 0, 0]
  let inTitle = false
  const lists: { ordered: boolean; number: number }[] = []

  const each = (add: (to: Paragraphs) => void) => {
    if (hidden > 0) return
    add(all)
    if (inMain > 0) add(main)
    if (inArticle > 0) add(articles)
  }
  const apart = (name: string) => {
    const lines = breaksAround.get(name)
    // Within an item or a cell, what makes paragraphs elsewhere only begins a line.
    if (lines !== undefined) each((to) => to.break(lines > 1 && (lists.length > 0 || cells > 0) ? 1 : lines))
  }

  await (xml ? readXml : readHtml)(html, {
    open(written, attributes) {
      const name = written.toLowerCase()
      const { role = '', hidden: concealed } = attributes
      const within = inMain + inArticle > 0
      const element = {
        hides:
          neverContent.has(name) ||
          rolesAround.has(role) ||
          concealed !== undefined ||
          (!within && aroundContent.has(name)),
        main: name === 'main' || role === 'main',
        article: name === 'article',
      }
      path.push(element)
      if (element.hides) hidden++
      if (element.main) inMain++
      if (element.article) inArticle++
      if (name === 'title' && title.size() === 0) inTitle = true
      apart(name)
      if (name === 'pre') preformatted++
      // Of a note, or a power: it is no digit of what stands before it.
      if (name === 'sup') each((to) => to.verbatim('^'))
      if (name === 'br') each((to) => to.break(1))
      if (name === 'ul' || name === 'ol')
        lists.push({ ordered: name === 'ol', number: Number.parseInt(attributes['start'] ?? '1', 10) || 1 })
      if (name === 'li') {
        const mark = markOf(lists)
        each((to) => to.mark(mark))
      }
      const level = /^h([1-6])$/.exec(name)?.[1]
      if (level !== undefined) each((to) => to.mark(`${'#'.repeat(Number(level))} `))
      if (name === 'tr') {
        cells = 1
        each((to) => to.row())
      }
      if ((name === 'td' || name === 'th') && cells++ > 1) each((to) => to.cell())
      const { alt = '' } = attributes
      if (name === 'img' && alt.trim() !== '') each((to) => to.words(`[${alt.trim()}]`))
    },
    text(text) {
      if (inTitle) title.words(text)
      each((to) => (preformatted > 0 ? to.verbatim(text) : to.words(text)))
    },
    close(written) {
      const name = written.toLowerCase()
      if (name === 'ul' || name === 'ol') lists.pop()
      if (name === 'tr') {
        cells = 0
        each((to) => to.row())
      }
      apart(name)
      if (name === 'pre') preformatted--
      if (name === 'title') inTitle = false
      const element = path.pop()
      if (element?.hides) hidden--
      if (element?.main) inMain--
      if (element?.article) inArticle--
    },
  })
  const content = main.size() > 0 ? main : articles.size() * 3 > all.size() * 2 ? articles : all
  return withTitle ? titled(title.text(), content.text()) : content.text()
}

interface Element {
  readonly hides: boolean
  readonly main: boolean
  readonly article: boolean
}

/** A page's title comes first, unless its content begins with it anyway. */
function titled(title: string, content: string): string {
  const [first = ''] = content.split('\n', 1)
  return title === '' || content === '' || first.replace(/^#+ /, '') === title
    ? content
    : `# ${title}\n\n${content}`
}

/** Of the innermost list: `- `, or the number where items are counted, set in by two spaces for each list around it. */
function markOf(lists: { readonly ordered: boolean; number: number }[]): string {
  const list = lists.at(-1)
  const mark = list?.ordered ? `${list.number++}. ` : '- '
  return '  '.repeat(Math.max(0, lists.length - 1)) + mark
}

const neverContent: ReadonlySet<string> = new Set([
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

/** Around the content of a page, and part of it within an article. A header may hold the only headline. */
const aroundContent: ReadonlySet<string> = new Set(['footer', 'aside'])

const rolesAround: ReadonlySet<string> = new Set([
  'navigation',
  'search',
  'banner',
  'contentinfo',
  'doc-backlink',
])

/** How many line breaks part an element from what is around it. */
const breaksAround: ReadonlyMap<string, number> = new Map([
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
