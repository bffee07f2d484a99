import { measureHtml } from './html-measure.ts'
import { type HtmlElement, textOf, walkHtml } from './html-tree.ts'
import { hasHidingAttribute, isFallbackTag, isInvisibleTag } from './html-visibility.ts'

/**
 * Drops what readers of a page do not see, and measures the rest. An attribute that hides most of the page
 * is ignored, because a script would show it. `<noscript>` and `<noframes>` count only if they have more
 * text than the page without them.
 */
export function dropHiddenContent(root: HtmlElement): void {
  const fallbacks = dropInvisibleTags(root)
  measureHtml(root)
  const { chars: pageChars } = root
  walkHtml(root, {
    onEnter(element) {
      const isMost = element.chars > minHiddenPageChars && element.chars * 2 > pageChars
      if (hasHidingAttribute(element) && !isMost) element.isDropped = true
      return !element.isDropped
    },
  })
  measureHtml(root)
  if (!isBetter(fallbacks, root)) return
  for (const element of fallbacks) element.isDropped = false
  measureHtml(root)
}

/** Drops elements without visible text. @returns the fallbacks, which are measured and dropped too */
function dropInvisibleTags(root: HtmlElement): HtmlElement[] {
  const fallbacks: HtmlElement[] = []
  let nesting = 0
  walkHtml(root, {
    onEnter(element) {
      if (isFallbackTag(element) && nesting++ === 0) fallbacks.push(element)
      if (isInvisibleTag(element)) element.isDropped = true
      return !element.isDropped
    },
    onLeave(element) {
      if (isFallbackTag(element)) nesting--
    },
  })
  for (const element of fallbacks) {
    measureHtml(element)
    element.isDropped = true
  }
  return fallbacks
}

/** Less text than this is not a page that a script would show. */
const minHiddenPageChars = 400

function isBetter(fallbacks: readonly HtmlElement[], page: HtmlElement): boolean {
  const chars = fallbacks.reduce((sum, fallback) => sum + fallback.chars, 0)
  const proseChars = fallbacks.reduce((sum, fallback) => sum + fallback.proseChars, 0)
  const isNotice =
    chars < maxNoticeChars && fallbacks.some((element) => /java\s?script/i.test(textOf(element)))
  const isText = chars >= minFallbackChars || page.chars === 0
  return isText && !isNotice && (chars > page.chars || proseChars > page.proseChars)
}

/** Next to other text, a shorter fallback is a label. */
const minFallbackChars = 40

/** A text about JavaScript up to this length only asks for it. */
const maxNoticeChars = 300
