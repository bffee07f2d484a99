import { marked } from 'marked'
import { describe, expect, it } from 'vitest'
import { createExportedFolder, createSummarizedEntry } from '../../support/exported-folder.ts'

const summaries = {
  'docs/[x](y) `a`.md': '# The ferry\n\n- It is late.\n\n## Why\n\nThe bus.\n',
  'docs/b.md': 'An open fence:\n```\n<script>alert(1)</script>\n',
  'docs/c.md': '{"title":"Two\\nlines","score":1.0,"list":["a"]}',
}

/** Exports to a file and returns its text. */
async function exportTo(name: string) {
  const folder = await createExportedFolder(summaries, [
    createSummarizedEntry('docs/gone.md', 'Gone.', { quality_issues: ['copy'] }),
  ])
  await folder.run('-o', name)
  return folder.read(name)
}

describe('an export as Markdown', () => {
  it('has a table of contents and an outline of one heading per document', async () => {
    const text = await exportTo('x.md')
    const headings = marked
      .lexer(text)
      .flatMap((token) => (token.type === 'heading' ? [`${token.depth} ${token.text}`] : []))
    expect(headings).toEqual([
      '1 4 summaries',
      '2 ``docs/[x](y) `a`.md``',
      '3 The ferry',
      '4 Why',
      '2 `docs/b.md`',
      '2 `docs/c.md`',
      '2 `docs/gone.md`',
    ])
    const page = marked.parse(text, { async: false }) as string
    const targets = [...page.matchAll(/<a href="#([^"]*)">/g)].map(([, id]) => id)
    expect(targets).toEqual(['result-1', 'result-2', 'result-3', 'result-4'])
    for (const id of targets) expect(page).toContain(`<a id="${id}"></a>`)
    expect(page).not.toContain('<script')
  })

  it('has the facts of each summary, and JSON as a block with its own tokens', async () => {
    const text = await exportTo('x.md')
    expect(text).toContain(
      'claude-haiku-5-5 · summarize@v2 · 2026-11-22 12:00 UTC · 1,000 tokens in, 100 out · $0.00015\n',
    )
    expect(text).toContain(
      '```json\n{\n  "title": "Two\\nlines",\n  "score": 1.0,\n  "list": ["a"]\n}\n```\n',
    )
    expect(text).toMatch(/flagged: .*\n\nThe file of this summary is missing or cannot be read\.\n/)
    expect(text).toMatch(
      /\nExported from `summaries` by claude-batch .*, 20\d\d-\d\d-\d\d \d\d:\d\d UTC\.\n$/,
    )
  })
})

describe('an export as HTML', () => {
  it('is one page in which nothing of a summary is markup, with a policy that loads and runs nothing', async () => {
    const page = await exportTo('x.html')
    expect(page).toMatch(
      /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[^;]*; img-src data:; base-uri 'none'; form-action 'none'">/,
    )
    expect(page).not.toMatch(/<script|<b>|https?:/)
    expect(page).toContain('&#60;script&#62;alert(1)&#60;/script&#62;')
    expect(page).toContain(
      '<dt>title</dt><dd><pre dir="auto">Two\nlines</pre></dd><dt>score</dt><dd><pre dir="auto">1.0</pre></dd>',
    )
    for (const n of [1, 2, 3, 4]) {
      expect(page).toContain(`<a href="#result-${n}">`)
      expect(page).toContain(`id="result-${n}"`)
    }
  })
})
