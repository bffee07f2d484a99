import { joinMarked, type MarkedText } from '../../../core/document/mark.ts'
import { findEmbeddedArticle } from './embedded-article.ts'
import { dropHiddenContent } from './hidden-content.ts'
import { dropBoilerplate, dropNavigation } from './html-boilerplate.ts'
import { renderHtml } from './html-renderer.ts'
import { type HtmlElement, parseHtmlTree, textOf, walkHtml } from './html-tree.ts'
import { applyShadowRoots } from './shadow-roots.ts'

export interface HtmlReaderOptions {
  /** Whether the document is XHTML, as in an EPUB. By default, its beginning decides. */
  readonly xml?: boolean
  /** Whether the text begins with the page's title. @default true */
  readonly title?: boolean
  /**
   * Whether it is a page of a website, whose text is only partly its content. Otherwise only navigation is
   * left out. @default false
   */
  readonly page?: boolean
}

/** Returns the visible text of an HTML document; see {@link extractMarkedHtml}. */
export async function extractHtmlText(
  html: string | AsyncIterable<string>,
  options: HtmlReaderOptions = {},
): Promise<string> {
  return (await extractMarkedHtml(html, options)).text
}

/**
 * Returns the visible text of an HTML document, with the positions of its headings. Headings, lists, tables and preformatted text are written as
 * Markdown; scripts, styles, controls and navigation are left out, and for a page of a website also footers,
 * teasers, comments and the like.
 */
export async function extractMarkedHtml(
  html: string | AsyncIterable<string>,
  { xml = false, title: withTitle = true, page = false }: HtmlReaderOptions = {},
): Promise<MarkedText> {
  const root = await parseHtmlTree(html, { xhtml: xml })
  await parseNoframes(root)
  applyShadowRoots(root)
  const title = findTitle(root)
  dropHiddenContent(root)
  if (page) dropBoilerplate(root)
  else dropNavigation(root)
  const visible = renderHtml(root)
  const article = page ? findEmbeddedArticle(root) : ''
  const content =
    article.length > 2 * visible.text.length ? await extractMarkedHtml(article, { title: false }) : visible
  return withTitle ? prependTitle(title, content) : content
}

/** Parses the content of `<noframes>`, which is text for browsers with frames. */
async function parseNoframes(root: HtmlElement): Promise<void> {
  const found: HtmlElement[] = []
  walkHtml(root, { onEnter: (element) => element.name !== 'noframes' || found.push(element) === 0 })
  for (const element of found) element.children = (await parseHtmlTree(textOf(element))).children
}

/** Returns the page's title; images have titles as well. */
function findTitle(root: HtmlElement): string {
  let title: HtmlElement | undefined
  walkHtml(root, {
    onEnter(element) {
      if (element.name === 'title') title ??= element
      return title === undefined && element.name !== 'svg'
    },
  })
  return title === undefined ? '' : textOf(title).replace(/\s+/g, ' ').trim()
}

/** Prepends a page's title, unless the content begins with it. */
function prependTitle(title: string, content: MarkedText): MarkedText {
  const [first = ''] = content.text.split('\n', 1)
  return title === '' || content.text === '' || first.replace(/^#+ /, '') === title
    ? content
    : joinMarked([{ text: `# ${title}`, kind: 'heading', label: title }, content], '\n\n')
}
