import { hintOfNames } from './boilerplate-names.ts'
import { focusOnContent } from './focus-content.ts'
import { hasMostText, measureHtml, type TextSize } from './html-measure.ts'
import { type HtmlElement, walkHtml } from './html-tree.ts'
import { dropOrphanHeadings } from './orphan-headings.ts'

/**
 * Drops what surrounds the content of a page: navigation, footers, sidebars, teasers, comments. An element
 * that has a large part of the page's text is its content, however it is named. Expects measured elements.
 */
export function dropBoilerplate(root: HtmlElement): void {
  dropLandmarks(root)
  measureHtml(root)
  const page = { chars: root.chars, linkChars: root.linkChars, proseChars: root.proseChars }
  const dropped = [...dropNamedAndLinks(root, page), ...dropOrphanHeadings(root)]
  measureHtml(root)
  dropped.push(...focusOnContent(root))
  measureHtml(root)
  if (root.proseChars >= minProseChars || root.chars * 3 >= page.chars) return
  // An index or a list of links is content if there is nothing else.
  for (const element of dropped) element.isDropped = false
}

/** A page with fewer characters in paragraphs than this may be a list. */
const minProseChars = 400

/** Drops the navigation in a document that is all content, such as a chapter of a book or an e-mail. */
export function dropNavigation(root: HtmlElement): void {
  walkHtml(root, {
    onEnter(element) {
      const { name, attributes } = element
      if (name === 'nav' || navigationRoles.has(attributes['role'] ?? '')) element.isDropped = true
      return !element.isDropped
    },
  })
}

/** Drops what the page itself marks as being around its content, with elements and roles. */
function dropLandmarks(root: HtmlElement): void {
  const page = { ...root }
  let inContent = 0
  walkHtml(root, {
    onEnter(element) {
      if (isPeripheralLandmark(element, inContent > 0) && !hasMostText(element, page))
        element.isDropped = true
      if (!element.isDropped && isContent(element)) inContent++
      return !element.isDropped
    },
    onLeave(element) {
      if (isContent(element)) inContent--
    },
  })
}

function isContent({ name, attributes }: HtmlElement): boolean {
  return name === 'main' || name === 'article' || attributes['role'] === 'main'
}

function isPeripheralLandmark(element: HtmlElement, isInContent: boolean): boolean {
  const { name, attributes, chars, linkChars } = element
  // The others hold notes, warnings and the like.
  if (name === 'aside') return linkChars * 2 > chars
  const { role = '' } = attributes
  return (
    name === 'nav' ||
    navigationRoles.has(role) ||
    peripheralRoles.has(role) ||
    // In an article, the footer is part of it.
    (name === 'footer' && !isInContent)
  )
}

const navigationRoles: ReadonlySet<string> = new Set(['navigation', 'doc-backlink'])

const peripheralRoles: ReadonlySet<string> = new Set([
  'search',
  'banner',
  'contentinfo',
  'menu',
  'menubar',
  'dialog',
  'alertdialog',
  'toolbar',
  'tablist',
])

/** Drops elements by their names, and lists of links. @returns the dropped elements */
function dropNamedAndLinks(root: HtmlElement, page: TextSize): HtmlElement[] {
  const dropped: HtmlElement[] = []
  const aroundContent = findOnlyContent(root)
  // If the comments are most of the page, as in a forum, single comments are not dropped either.
  let keptComments = 0
  walkHtml(root, {
    onEnter(element) {
      if (element.isDropped) return false
      const hint = hintOfNames(element)
      if (hint !== 'comments' && aroundContent.has(element)) return true
      if (isBoilerplate(element, hint === 'comments' && keptComments > 0 ? undefined : hint, page)) {
        element.isDropped = true
        dropped.push(element)
        return false
      }
      if (hint === 'comments') keptComments++
      return true
    },
    onLeave(element) {
      if (hintOfNames(element) === 'comments') keptComments--
    },
  })
  return dropped
}

/**
 * Returns the only `<main>` or `<article>` with paragraphs, and all elements around it; nothing if there are
 * several.
 */
function findOnlyContent(root: HtmlElement): ReadonlySet<HtmlElement> {
  const path: HtmlElement[] = []
  const found: HtmlElement[][] = []
  walkHtml(root, {
    onEnter(element) {
      if (element.isDropped) return false
      path.push(element)
      if (isContent(element) && element.proseChars >= minProseChars) found.push([...path])
      return true
    },
    onLeave: () => void path.pop(),
  })
  return new Set(found.length === 1 ? found[0] : [])
}

function isBoilerplate(element: HtmlElement, hint: ReturnType<typeof hintOfNames>, page: TextSize): boolean {
  const { name, chars, linkChars, proseChars, links } = element
  if (chars === 0 || keptTags.has(name) || hasMostText(element, page)) return false
  if (hint === 'peripheral' || hint === 'comments') return true
  if (hint === 'box' && proseChars * 2 < chars && linkChars * 4 > chars) return true
  return listTags.has(name) && links >= minLinks && linkChars * 10 > chars * 6 && proseChars * 4 < chars
}

/** An element with fewer links than this may be a title or a source. */
const minLinks = 3

const keptTags: ReadonlySet<string> = new Set('#root html body main article h1 h2 h3 h4 h5 h6'.split(' '))

/** Elements that may be a list of links. */
const listTags: ReadonlySet<string> = new Set(
  'ul ol dl div section table form header footer aside'.split(' '),
)
