import { type HtmlElement, walkHtml } from './html-tree.ts'

/** Drops headings whose section was dropped, such as "Related articles". @returns the dropped headings */
export function dropOrphanHeadings(root: HtmlElement): HtmlElement[] {
  const dropped: HtmlElement[] = []
  walkHtml(root, {
    onEnter(element) {
      if (element.isDropped) return false
      for (const heading of findOrphans(element)) {
        heading.isDropped = true
        dropped.push(heading)
      }
      return true
    },
  })
  return dropped
}

/** Returns the headings in an element that are followed only by dropped elements, up to the next heading. */
function findOrphans({ children }: HtmlElement): HtmlElement[] {
  const orphans: HtmlElement[] = []
  let heading: HtmlElement | undefined
  let isFollowedByDropped = false
  const endSection = () => {
    if (heading !== undefined && isFollowedByDropped) orphans.push(heading)
    heading = undefined
    isFollowedByDropped = false
  }
  for (const child of children) {
    if (typeof child === 'string') {
      if (child.trim() !== '') heading = undefined
    } else if (child.isDropped) isFollowedByDropped ||= child.chars > 0
    else if (/^h[2-6]$/.test(child.name)) {
      endSection()
      // A long one is an introduction.
      if (child.chars < maxHeadingChars) heading = child
    } else if (child.chars > 0) heading = undefined
  }
  endSection()
  return orphans
}

const maxHeadingChars = 100
