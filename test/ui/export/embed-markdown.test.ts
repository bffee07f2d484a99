import fc from 'fast-check'
import { marked } from 'marked'
import { describe, expect, it } from 'vitest'
import { embedMarkdown } from '../../../src/ui/export/embed-markdown.ts'

/** Renders a text in a document as a wiki would that removes nothing. */
function renderPage(text: string): string {
  return marked.parse(`# Title\n\n## First\n\n${embedMarkdown(text, 3)}\n\n## Second\n\nend\n`, {
    async: false,
  }) as string
}

const listLevels = (page: string) => [...page.matchAll(/<h(\d)>/g)].map(([, level]) => Number(level))

describe('embedMarkdown', () => {
  it.each([
    ['# A\n\ntext\n\n## B ##', '### A\n\ntext\n\n#### B ##'],
    ['## A\n# B', '#### A\n### B'],
    ['#### A', '### A'],
    ['# A\n###### B', '### A\n###### B'],
    ['A\n===\n\nB\nb\n---\ntext', '### A\n\n#### B b\ntext'],
    ['- # A\n> ## B', '- ### A\n> #### B'],
    ['#1 is\n#tag', '#1 is\n#tag'],
  ])('moves the headings of %j below those of the page', (text, embedded) => {
    expect(embedMarkdown(text, 3)).toBe(embedded)
  })

  it('keeps emphasis, lists, tables, quotations and code', () => {
    const text =
      'Some **bold** `code <b> # a[0](1)` text.\n\n- one\n  - two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> said'
    expect(embedMarkdown(text, 3)).toBe(text)
  })

  it('does not change code, and moves it out of a list, whose end would close it', () => {
    const code = '```sh\n# comment\necho "<b>" [a](b) `date`\n```'
    expect(embedMarkdown(code, 3)).toBe(`\n${code}`)
    expect(embedMarkdown(`1. Run\n   ${code.replaceAll('\n', '\n   ')}\n2. Stop`, 3)).toBe(
      `1. Run\n\n${code}\n2. Stop`,
    )
    expect(embedMarkdown('~~~\n```\n~~~', 3)).toBe('\n````\n```\n````')
  })

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'a <!-- b',
    '<details>\n\ntext',
    '<https://example.org>',
    '![a](https://example.org/a.png)',
    '![a][b]\n\n[b]: https://example.org/a.png',
    '[a](javascript:alert(1))',
    '[a]: javascript:alert(1)\n\n[a]',
    '[\na\n]: javascript:alert(1)\n\n[a]',
    'a ` b\nc `<b>` d',
    '\\`<b>`',
    '\\\\`<b>`',
    '``<b>`',
    '_``<b>_`a``<b>',
    '**``<b>**`a``',
    '| `a | <b>` |\n|---|---|\n| `a | <b>` |',
    '- a\n  ```\n<b>',
    '    ```\n<b>',
    '```\n<b>',
    '```js {onclick=x}\n1\n```\n<b>',
    'x\n```\n ```<b>',
  ])('shows the markup of %j as text', (text) => {
    const page = renderPage(text).replace(/<code[\s\S]*?<\/code>/g, '')
    expect(page).not.toMatch(/<(?:script|img|!--|b>|details|a (?!href="https:))/)
    expect(page).toMatch(/<h2>Second<\/h2>\n<p>end<\/p>\n$/)
    expect(listLevels(page)).toEqual([1, 2, 2])
  })

  it('passes no attribute or raw HTML to pandoc', () => {
    expect(embedMarkdown('``` {=html}\n<b>\n```', 3)).toBe('\n```\n<b>\n```')
    expect(embedMarkdown('`<b>`{=html} [a]{onclick=x} # b', 3)).toBe('`<b>`\\{=html} [a]\\{onclick=x} # b')
    expect(embedMarkdown('---\nheader-includes: x\n---', 3)).not.toMatch(/^---/m)
  })

  it('makes control and bidi characters visible', () => {
    expect(embedMarkdown('a\u001b[31m\u202eb', 3)).toBe('a\\x1b[31m\\u\\{202e}b')
  })

  it('leaves nothing of any text open, active or above its level', () => {
    const part = fc.constantFrom(
      ...['`', '``', '```', '~~~', '\n', '\n\n', '  ', '    ', '\t', '- ', '1. ', '> ', '# ', '###### '],
      ...['===', '---', '-', '<b>', '</b>', '<!--', '<![CDATA[', '<?x', '[a]', '(javascript:x)', '[a]: /u'],
      ...[
        '![',
        '](',
        '[[',
        '{=html}',
        '|',
        '|-|-|',
        '\\',
        '\\`',
        'a',
        'b c',
        '&lt;',
        '\r',
        '\u00a0',
        '*',
        '_',
      ],
    )
    const text = fc.array(part, { minLength: 1, maxLength: 30 }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(text, (text) => {
        const page = renderPage(text)
        expect(page.replace(/<code[\s\S]*?<\/code>/g, '')).not.toMatch(/<(?:\/?b>|!|\?|a |img)/)
        expect(page).toMatch(/<h2>Second<\/h2>\n<p>end<\/p>\n$/)
        const [title, first, ...others] = listLevels(page)
        expect([title, first, others.pop()]).toEqual([1, 2, 2])
        expect(others.every((level) => level >= 3)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })
})
