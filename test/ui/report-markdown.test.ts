import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable } from '../../src/core/printable.ts'
import { code, inline, table } from '../../src/ui/markdown.ts'
import { reportMarkdown } from '../../src/ui/report-markdown.ts'
import { documentLine, endLine, failedLine, reportOf, runLine } from '../support/recorded.ts'

describe('the report in Markdown', () => {
  it('tells the few figures, the errors and every document', () => {
    const lines = [documentLine('docs/a.md'), documentLine('b.md', { usage: null, cost_usd: null })]
    const failed = failedLine('docs/c|d.md', 'too long')
    const end = { ...endLine, bound_by: 'the latency of the service' }
    const texts = new Map([['docs/a.md', 'Boats float.\n# Not a heading <b>']])
    const text = reportMarkdown(reportOf([{ run: runLine, lines: [...lines, failed], end }], texts))
    for (const part of [
      '# 2 of 3 documents summarized\n\n2026-11-22 12:00 UTC · summarize@v2 · claude-haiku-5-5\n',
      '- **Cost** $0.0003 and an unknown part (1 without usage or a price)\n',
      '- **Failed** 1 (will fail again as it is)\n',
      'What kept it from being faster: the latency of the service.\n',
      '| `400 invalid_request_error: too long` | 1 | no | `docs/c\\|d.md` |\n',
      '| `docs/a.md` | summarized | 1,000 | 100 | 400 ms | $0.00015 |\n',
      '| `b.md` | summarized | – | – | 400 ms | unknown |\n',
      '### `docs/a.md`\n\n> Boats float.\n> # Not a heading &lt;b>\n',
    ])
      expect(text).toContain(part)
  })

  it('has a table of many runs', () => {
    const run = { ...runLine, run: 'r2', simulated: true } as const
    const text = reportMarkdown(
      reportOf([
        { run: runLine, lines: [documentLine('a')] },
        { run, lines: [] },
      ]),
    )
    expect(text).toContain('1 simulated run is in no sum.')
    expect(text).toContain('| `claude-haiku-5-5`, simulated | 0 | 0 | 0 | 0 | – | $0 |')
  })

  it('makes sense of nothing', () => {
    expect(reportMarkdown(reportOf([]))).toMatch(
      /^<!-- generator: claude-batch -->\n\n# No runs yet\n\nMade by claude-batch 1\.0\.0, /,
    )
  })

  it('says how many documents it leaves out', () => {
    const lines = Array.from({ length: 1200 }, (_, n) => documentLine(`${n}`))
    expect(reportMarkdown(reportOf([{ run: runLine, lines }]))).toContain('\nand 200 more\n')
  })
})

describe('text from outside, in Markdown', () => {
  const parts = fc.constantFrom(
    '`',
    '|',
    '\\',
    '<b>',
    '![x](y)',
    '*',
    '_',
    '[',
    '@a',
    ' ',
    '\n',
    '\u202e',
    'a',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(parts).map((all) => all.join('')),
  )

  it('is a name letter by letter: what a reader of code spans reads', () => {
    fc.assert(
      fc.property(text, (text) => {
        const span = /^(`+)(.*?[^`]|[^`])\1$/s.exec(code(text))
        const inner = span?.[2] ?? ''
        const read = /^ .*[^ ].* $/.test(inner) ? inner.slice(1, -1) : inner
        expect(read.trim()).toBe(printable(text).trim())
      }),
    )
  })

  it('is no markup within a line, and no further cell in a table', () => {
    fc.assert(
      fc.property(text, (text) => {
        const shown = inline(text)
        expect(shown.replace(/\\[\\`*_~[\]]/g, '')).not.toMatch(/[\\`*_~[\]<\n\u202e]/)
        const [, , row = ''] = table(['a'], [[code(text)]]).split('\n')
        expect(row.replaceAll('\\|', '').match(/\|/g)).toHaveLength(2)
      }),
    )
  })
})
