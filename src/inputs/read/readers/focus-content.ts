import { type HtmlElement, walkHtml } from './html-tree.ts'

/**
 * Drops what is around the innermost `<main>` or `<article>` that has most paragraphs of a page. Kept are
 * headings and paragraphs before it, which introduce it, and long texts after it. Expects measured elements.
 *
 * @returns the dropped elements
 */
export function focusOnContent(root: HtmlElement): HtmlElement[] {
  const path = findContent(root)
  const content = path.at(-1)
  if (content === undefined) return []
  const around = new Set(path)
  const withHeading = findHeadings(root)
  const dropped: HtmlElement[] = []
  let isAfter = false
  walkHtml(root, {
    onEnter(element) {
      if (element === content) isAfter = true
      if (element === content || element.isDropped) return false
      if (around.has(element)) return true
      const isKept = isAfter
        ? element.proseChars * 10 > root.proseChars
        : element.proseChars > 0 || withHeading.has(element)
      if (!isKept) {
        element.isDropped = true
        dropped.push(element)
      }
      return false
    },
  })
  return dropped
}

/** Returns the content and the elements around it, from the outermost to the content itself. */
function findContent(root: HtmlElement): HtmlElement[] {
  const path: HtmlElement[] = []
  let pathOfContent: HtmlElement[] = []
  walkHtml(root, {
    onEnter(element) {
      if (element.isDropped) return false
      path.push(element)
      // Only nested elements can both have four fifths of the paragraphs, so the last one is the innermost.
      if (isContent(element, root)) pathOfContent = [...path]
      return true
    },
    onLeave: () => void path.pop(),
  })
  return pathOfContent
}

function isContent({ name, attributes, proseChars }: HtmlElement, root: HtmlElement): boolean {
  const isMain = name === 'main' || name === 'article' || attributes['role'] === 'main'
  return isMain && proseChars > minProseChars && proseChars * 5 >= root.proseChars * 4
}

const minProseChars = 300

/** Returns the headings of the page and of its largest sections, and all elements around them. */
function findHeadings(root: HtmlElement): Set<HtmlElement> {
  const found = new Set<HtmlElement>()
  walkHtml(root, {
    onEnter(element) {
      if (/^h[1-3]$/.test(element.name)) found.add(element)
      return !element.isDropped
    },
    onLeave(element, parent) {
      if (parent !== undefined && found.has(element)) found.add(parent)
    },
  })
  return found
}
