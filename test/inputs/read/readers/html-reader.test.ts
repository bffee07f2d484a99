import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { extractHtmlText } from '../../../../src/inputs/read/readers/html-reader.ts'

const folder = resolve(import.meta.dirname, '../../../../fixtures/kinds')
const textOf = (html: string) => extractHtmlText(html, { page: true, title: false })
const fixture = async (name: string) => textOf(await readFile(join(folder, name), 'utf8'))
const sentence =
  'A sentence of the content, long enough to be a paragraph of a page, with a comma and an end. '
const prose = sentence.repeat(8)

describe('the text of a page', () => {
  it.each<[string, string[], string[]]>([
    ['html-head-omitted.html', ['# HEAD-NOT-CLOSED', 'Valid HTML'], []],
    ['html-small-main.html', ['REAL-CONTENT', '# Title only'], []],
    ['html-noscript-content.html', ['REAL-CONTENT', '# Blog'], []],
    ['xhtml-selfclosing.xhtml', ['XHTML-BODY', 'AFTER-TEXTAREA'], []],
    ['html-display-none.html', ['Seen.'], ['NOT-SHOWN', 'ARIA-HIDDEN', 'NOSCRIPT']],
    ['html-math-annotation.html', ['Energy E=mc^2 ok'], ['E=mc2']],
    ['html-aside-note.html', ['WARNING-IN-ASIDE', 'Text of the page.'], ['FOOT']],
  ])('%s has its visible text, once', async (name, kept, left) => {
    const text = await fixture(name)
    for (const words of kept) expect(text.split(words)).toHaveLength(2)
    for (const words of left) expect(text).not.toContain(words)
  })

  it.each<[string, string, string]>([
    ['text in a textarea', '<textarea>a <b>\n c</textarea>', 'a <b>\n c'],
    ['content that a search in the page reveals', '<p hidden=until-found>a</p><p hidden>b</p>', 'a'],
    ['open dialogs only', '<dialog open>a</dialog><dialog>b</dialog><div popover>c</div>', 'a'],
    ['no element with a hiding style', '<p style="color:red; DISPLAY : none !important">a</p>b', 'b'],
    ['the fallback of frames', '<frameset><frame src=x><noframes><p>a</p></noframes></frameset>', 'a'],
    ['no request for scripts', '<noscript>You need to enable JavaScript.</noscript>', ''],
    [
      'shadow roots with their slots',
      '<x-a><template shadowrootmode="open"><b><slot name=t>none</slot></b>: <slot></slot> <slot name=e>own</slot></template>body<i slot=t>title</i></x-a>',
      'title: body own',
    ],
    ['no other template', '<template><p>a</p></template>b', 'b'],
    [
      'formulas without TeX as symbols',
      '<math><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><msup><mi>c</mi><mn>2</mn></msup></mfrac></math>',
      '(a+b)/c^2',
    ],
    [
      'the readings of characters in parentheses',
      '<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp>字<rt>ji</rt></ruby>',
      '漢(kan)字(ji)',
    ],
    ['words without soft hyphens', 'con&shy;tent', 'content'],
  ])('has %s', async (_what, html, text) => {
    expect(await textOf(html)).toBe(text)
  })

  it('is shown although an attribute hides all of it until a script runs', async () => {
    expect(await textOf(`<body style="visibility:hidden"><div aria-hidden=true><p>${prose}</div>`)).toContain(
      sentence.trim(),
    )
  })

  it('comes from the structured data if the page itself is empty', async () => {
    const data = JSON.stringify({ '@graph': [{ articleBody: `<p>${prose}</p>` }] })
    expect(await textOf(`<p>Loading</p><script type="application/ld+json">${data}</script>`)).toBe(
      prose.trim(),
    )
  })
})

describe('XHTML', () => {
  const xhtml = (body: string) =>
    `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><style/></head><body>${body}</body></html>`

  it.each<[string, string, string]>([
    [
      'elements that end where they begin',
      '<script src="a"/><noscript/><iframe/><div class="x"/><p>a</p><a id="b"/>c',
      'a\n\nc',
    ],
    ['CDATA sections and entities', '<p><![CDATA[a < b]]>&nbsp;&eacute;</p>', 'a < b\u00a0é'],
    ['prefixed names', '<h:p xmlns:h="http://www.w3.org/1999/xhtml">a<h:script>b</h:script></h:p>', 'a'],
  ])('may have %s', async (_what, body, text) => {
    expect(await textOf(xhtml(body))).toBe(text)
  })

  it('is read with the tolerance of HTML', async () => {
    expect(await textOf(xhtml('<p>a<br>b</p><p>c'))).toBe('a\nb\n\nc')
  })
})

describe('what surrounds the content', () => {
  const links =
    '<ul><li><a href=a>Some other page</a><li><a href=b>And one more</a><li><a href=c>A third</a></ul>'

  it.each<[string, string]>([
    ['navigation', `<nav>AROUND ${links}</nav>`],
    ['a navigation role', '<div role=navigation>AROUND</div>'],
    ['a footer', '<footer>AROUND</footer>'],
    ['an aside of links', `<aside><p><a href=x>AROUND the page</a></aside>`],
    ['a box with a telling name', '<div class="cookieBanner">AROUND</div>'],
    ['comments', '<section id=comments><h3>Replies</h3>AROUND</section>'],
    ['a list of links and its heading', `<div><h3>AROUND</h3>${links}</div>`],
  ])('is dropped: %s', async (_what, html) => {
    expect(await textOf(`<body><div><p>${prose}</div>${html}`)).toBe(prose.trim())
  })

  it.each<[string, string]>([
    ['an aside that is a note', '<aside>KEPT</aside>'],
    ['a name that says what an element has', '<p class="has-sidebar tag-cookies">KEPT</p>'],
    ['a heading with a telling name', '<h2 id="nav-1">KEPT</h2>'],
    ['the source of a text', '<div><a href=x>KEPT</a></div>'],
    [
      'a section whose id is its heading',
      `<section id="sharing-with-one-s-team"><h2><a>1.</a> Sharing with one’s team¶</h2>KEPT</section>`,
    ],
    [
      'a section of one word whose heading links to it',
      '<section id=comments><h3>2.1. Comments<a href="#comments">¶</a></h3>KEPT</section>',
    ],
    ['the footer of a quotation', '<article><blockquote>a<footer>KEPT</footer></blockquote></article>'],
  ])('is not: %s', async (_what, html) => {
    expect(await textOf(`<body><div><p>${prose}</div>${html}`)).toContain('KEPT')
  })

  it.each<[string, string]>([
    ['has most of the text', `<div id=sidebar><p>KEPT ${prose}</div><p>Little.`],
    [
      'is the only article',
      `<div class=navModal><article><p>KEPT ${prose}</article></div>${`<p>${prose}`.repeat(4)}`,
    ],
    ['is a forum', `<p>Question?<div class=comments><div class=comments>KEPT ${prose}</div></div>`],
    [
      'is an index',
      `<h1>All</h1><div>${links.replace('Some', 'KEPT')}</div><div>${links}</div><div>${links}</div>`,
    ],
    [
      'introduces the article',
      `<p class=lead>KEPT <b>too</b>. ${sentence}</p><article><p>${prose}</article>`,
    ],
  ])('is content if it %s', async (_what, html) => {
    expect(await textOf(html)).toContain('KEPT')
  })

  it('is kept in documents that are not pages, except for navigation', async () => {
    const html = '<nav>NAV</nav><p>a</p><aside>b</aside><footer>c</footer><div class=footer>d</div>'
    expect(await extractHtmlText(html)).toBe('a\n\nb\n\nc\n\nd')
  })
})
