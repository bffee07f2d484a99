import type { HtmlElement } from './html-tree.ts'

/**
 * Returns what the classes and the id of an element name: something around the content of a page
 * (`peripheral`), a box that may also hold content (`box`), or the comments of readers (`comments`).
 */
export function hintOfNames({ attributes }: HtmlElement): 'peripheral' | 'box' | 'comments' | undefined {
  const { class: className = '', id = '' } = attributes
  if (className === '' && id === '') return undefined
  let hint: 'box' | 'comments' | undefined
  for (const name of `${className} ${id}`.slice(0, maxNameChars).split(/\s+/)) {
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
