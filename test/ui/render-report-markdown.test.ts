import fc from 'fast-check'
import { Parser } from 'htmlparser2'
import { marked } from 'marked'
import { describe, expect, it } from 'vitest'
import type { RecordedRun } from '../../src/core/report/recorded-run.ts'
import { escapeControlChars } from '../../src/core/text/escape-control-chars.ts'
import {
  escapeMarkdown,
  renderCodeBlock,
  renderInlineCode,
  renderMarkdownTable,
} from '../../src/ui/markdown.ts'
import { renderReportMarkdown } from '../../src/ui/render-report-markdown.ts'
import {
  createDocumentEntry,
  createFailedEntry,
  createReport,
  runEnd,
  runStart,
} from '../support/ledger-entries.ts'

describe('the report in Markdown', () => {
  it('shows the main figures, the errors and every document', () => {
    const lines = [
      createDocumentEntry('docs/a.md'),
      createDocumentEntry('b.md', { usage: null, cost_usd: null }),
    ]
    const failed = createFailedEntry('docs/c|d.md', 'too long')
    const end = { ...runEnd, limited_by: 'API latency' }
    const texts = new Map([['docs/a.md', 'Boats float.\n# Not a heading <b>']])
    const text = renderReportMarkdown(
      createReport([{ start: runStart, entries: [...lines, failed], end }], texts),
    )
    for (const part of [
      '# 2 of 3 documents summarized\n\n2026-11-22 12:00 UTC · summarize@v2 · claude-haiku-5-5\n',
      '- **Cost** $0.0003 and an unknown part (1 without usage or a price)\n',
      '- **Failed** 1 (permanent)\n',
      'Limited by API latency: the API needs this long to write its answers, and the rate limits and the concurrency limit left room.\n',
      '| `400 invalid_request_error: too long` | 1 | no | `docs/c\\|d.md` |\n',
      '| `docs/a.md` | summarized | 1,000 | 100 | 400 ms | $0.00015 |\n',
      '| `b.md` | summarized | – | – | 400 ms | unknown |\n',
      '### `docs/a.md`\n\n```text\nBoats float.\n# Not a heading <b>\n```\n',
    ])
      expect(text).toContain(part)
  })

  it('has a table of runs if there are several', () => {
    const run = { ...runStart, run: 'r2', simulated: true } as const
    const text = renderReportMarkdown(
      createReport([
        { start: runStart, entries: [createDocumentEntry('a')] },
        { start: run, entries: [] },
      ]),
    )
    expect(text).toContain('1 simulated run is not in the totals.')
    expect(text).toContain('| `claude-haiku-5-5`, simulated | 0 | 0 | 0 | 0 | – | $0 |')
  })

  it('can be rendered without any run', () => {
    expect(renderReportMarkdown(createReport([]))).toMatch(
      /^<!-- generator: claude-batch -->\n\n# No runs yet\n\nCreated by claude-batch 1\.0\.0, /,
    )
  })

  it('shows how many documents it leaves out', () => {
    const lines = Array.from({ length: 1200 }, (_, n) => createDocumentEntry(`${n}`))
    expect(renderReportMarkdown(createReport([{ start: runStart, entries: lines }]))).toContain(
      '\nand 200 more\n',
    )
  })
})

/** Text that Markdown viewers treat specially. */
const markup = [
  ...[
    '`',
    '```',
    '~~~',
    '|',
    '\\',
    '\\|',
    '*',
    '_',
    '~~',
    '[',
    ']',
    '(',
    ')',
    '!',
    '<',
    '>',
    '&',
    '#',
    '-',
    '+',
    '=',
    ':',
  ],
  ...[
    '<b>',
    '<img src=x onerror=alert(1)>',
    '<!--',
    '-->',
    '<script>',
    '<https://evil.example>',
    '&lt;',
    '&#106;',
  ],
  ...[
    '![x](https://evil.example/?q=1)',
    '[x](javascript:alert(1))',
    '[x][1]',
    '[1]: https://evil.example',
    '[^1]',
  ],
  ...[
    'https://evil.example/a',
    'www.evil.example',
    'a@evil.example',
    'mailto:a@b.c',
    '@somebody',
    '#12',
    'GH-12',
  ],
  ...[
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    '\t',
    ' ',
    '  ',
    '    ',
    '---',
    '===',
    '1.',
    '2)',
    '- [ ] task',
    '> quote',
    '# head',
  ],
  ...['| a |\n|---|\n| b |', ':smile:', '$x$', '{{ x }}', '\u202e', 'a', 'word', '.'],
] as const
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.constantFrom(...markup), { maxLength: 12 }).map((all) => all.join('')),
  fc.array(fc.constantFrom(...markup), { maxLength: 12 }).map((all) => all.join(' ')),
)

/** Returns the tags, except `code`, of the page that a viewer renders, and the text between them. */
function rendered(markdown: string) {
  const html = marked.parse(markdown, { gfm: true, breaks: true, async: false }) as string
  const tags: string[] = []
  const texts: string[] = []
  const parser = new Parser({
    onopentag: (name, attributes) =>
      void (name === 'code' || tags.push(`${name} ${JSON.stringify(attributes)}`)),
    onclosetag: (name) => void (name === 'code' || tags.push(`/${name}`)),
    ontext: (text) => void texts.push(text),
    oncomment: (text) => void tags.push(text),
  })
  parser.end(html)
  return { tags, text: texts.join('') }
}

describe('untrusted text in Markdown', () => {
  it('is shown unchanged in a code span', () => {
    fc.assert(
      fc.property(text, (text) => {
        const span = /^(`+)(.*?[^`]|[^`])\1$/s.exec(renderInlineCode(text))
        const inner = span?.[2] ?? ''
        const read = /^ .*[^ ].* $/.test(inner) ? inner.slice(1, -1) : inner
        expect(read.trim()).toBe(escapeControlChars(text).trim())
      }),
    )
  })

  it('is shown unchanged within a line, without becoming markup', () => {
    fc.assert(
      fc.property(text, (text) => {
        const { tags, text: read } = rendered(`${escapeMarkdown(text)}\n`)
        expect(tags.filter((tag) => !/^\/?p\b/.test(tag))).toEqual([])
        const words = (text: string) => text.replace(/\s+/g, ' ').trim()
        expect(words(read)).toBe(words(escapeControlChars(text.trim())))
      }),
    )
  })

  it('is always one cell of a table', () => {
    const one = rendered(renderMarkdownTable(['a', 'b'], [['x', 'y']])).tags
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(
          rendered(renderMarkdownTable(['a', 'b'], [[renderInlineCode(a), escapeMarkdown(b)]])).tags,
        ).toEqual(one)
      }),
    )
  })

  it('is shown unchanged in a code block, in lines of limited length', () => {
    fc.assert(
      fc.property(text, (text) => {
        const { tags, text: read } = rendered(renderCodeBlock(text))
        expect(tags).toEqual(['pre {}', '/pre'])
        const flat = (text: string) => text.replace(/\s+/g, ' ').trim()
        expect(flat(read)).toBe(flat(escapeControlChars(text.replaceAll('\r\n', '\n').trimEnd(), '\n\t')))
      }),
    )
    const prose = `${'Boats float on the water of the harbour. '.repeat(9)}${'x'.repeat(150)} end`
    const lines = renderCodeBlock(prose).split('\n').slice(1, -1)
    expect(lines).toHaveLength(6)
    expect(lines.every((line) => line.length <= 100 || !line.includes(' '))).toBe(true)
    expect(lines.join(' ')).toBe(prose)
  })

  it('does not change the tags of a rendered report', () => {
    const report = (text: string) => {
      const facts = { model: text, prompt: text }
      const lines = [
        createDocumentEntry(`${text}/a`, facts),
        createDocumentEntry(`${text}/b`),
        { ...createFailedEntry(`c/${text}`, text), ...facts },
      ]
      const end = {
        ...runEnd,
        stopped: text,
        limited_by: text,
        skipped: { [text]: 1 },
        retries: { [text]: 2 },
      }
      const runs: RecordedRun[] = [{ start: { ...runStart, ...facts }, entries: lines, end }]
      return rendered(
        renderReportMarkdown(createReport(runs, new Map(lines.map(({ path }) => [path, text])))),
      )
    }
    const nothingElse = report('x').tags
    fc.assert(
      fc.property(text, (text) => {
        // A report with only one folder has other sections.
        fc.pre(text !== 'c' && text.trim() !== '')
        const { tags, text: read } = report(text)
        expect(tags).toEqual(nothingElse)
        expect(read).not.toContain('\u202e')
      }),
    )
  })

  it('becomes code if a viewer would link it: mentions, issue numbers and e-mail addresses', () => {
    for (const word of ['@somebody', '(@org/team)', '#12', 'org/repo#12', 'GH-12', 'a@b.example', ':smile:'])
      expect(escapeMarkdown(`see ${word} there`)).toBe(`see \`${word}\` there`)
    expect(escapeMarkdown('summarize@v2 at 12:00 UTC')).toBe('summarize@v2 at 12:00 UTC')
  })
})
