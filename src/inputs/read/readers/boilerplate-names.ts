import { type HtmlElement, textOf } from './html-tree.ts'

/**
 * Returns what the classes and the id of an element name: something around the content of a page
 * (`peripheral`), a box that may also hold content (`box`), or the comments of readers (`comments`).
 */
export function hintOfNames(element: HtmlElement): Hint {
  const { class: className = '', id = '' } = element.attributes
  const hint = hintOf(`${className} ${id}`)
  return hint !== undefined && isHeadingId(id, element) ? hintOf(className) : hint
}

type Hint = 'peripheral' | 'box' | 'comments' | undefined

function hintOf(names: string): Hint {
  let hint: 'box' | 'comments' | undefined
  for (const name of names.slice(0, maxNameChars).split(/\s+/)) {
    const words = splitWords(name)
    if (qualifiers.has(words[0] ?? '')) continue
    for (const word of words) {
      if (peripheralWords.has(word)) return 'peripheral'
      if (commentWords.has(word)) hint = 'comments'
      else if (boxWords.has(word)) hint ??= 'box'
    }
  }
  return hint
}

const maxNameChars = 400

/**
 * Whether an id is made from the words of the section's heading, as documentation tools do. A single word may
 * be a name as well, unless the heading has the `¶` that links to it.
 */
function isHeadingId(id: string, { children }: HtmlElement): boolean {
  const words = toWords(id)
  return children.some((child) => {
    if (typeof child === 'string' || !/^h[1-6]$/.test(child.name)) return false
    const heading = textOf(child)
    if (words.length < 2 && !/¶\s*$/.test(heading)) return false
    return toWords(heading).slice(-words.length).join(' ') === words.join(' ')
  })
}

function toWords(text: string): string[] {
  return (
    text
      .slice(0, maxNameChars)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  )
}

/** Returns the words of a name such as `site-footer__links`, which may also be in camel case. */
function splitWords(name: string): string[] {
  return name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z]+/)
}

const toSet = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))

/** First words of names that say what an element has or belongs to, such as `has-sidebar` or `tag-cookies`. */
const qualifiers = toSet('has is no not with without tag category cat js post page single hide show type')

const peripheralWords = toSet(
  `nav navi navbar navigation menu submenu dropdown breadcrumb breadcrumbs pagination pager toolbar masthead
  search skip login signup sidebar sidebars footer copyright cookie cookies consent gdpr newsletter subscribe
  subscription share sharing sharer sharedaddy addtoany social socials related recommended recommendation
  recommendations trending mostread outbrain taboola tags tagcloud taglist donate donation promotion`,
)

const commentWords = toSet('comments commentlist commentform respond disqus kommentare')

const boxWords = toSet(
  `widget ad ads advert advertisement adsense sponsor sponsored popup modal overlay promo print paywall popular
  teaser teasers`,
)
