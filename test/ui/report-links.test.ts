import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReportLinks } from '../../src/core/report/report-links.ts'
import { renderReportHtml } from '../../src/ui/report-html/render-report-html.ts'
import { createDocumentEntry, createReport, runStart } from '../support/ledger-entries.ts'

const links = createReportLinks('/home/me/reports', '/home/me', '/home/me/summaries')

describe('the links of a report', () => {
  it.each([
    ['docs/a b.md', '../docs/a%20b.md'],
    ['docs/50 %#?.md', '../docs/50%20%25%23%3F.md'],
    ['javascript:alert(1)', '../javascript%3Aalert(1)'],
    ['/srv/b.md', '../../../srv/b.md'],
    ['../you/c.md', '../../you/c.md'],
    ['reports/d.md', './d.md'],
    ['reports/javascript:alert(1)', './javascript%3Aalert(1)'],
    ["it's.md", "../it's.md"],
    ['-', undefined],
  ])('lead from the folder of the page to the document %s', (path, link) => {
    expect(links.toDocument(path)).toBe(link)
  })

  it('lead to summaries in the output folder', () => {
    expect(links.toOutput('docs/a.md.summary.md')).toBe('../summaries/docs/a.md.summary.md')
    expect(createReportLinks('/x', '/x', undefined).toOutput('a')).toBeUndefined()
  })

  it('resolve to the file, for any name', () => {
    const base = 'file:///home/me/reports/r.html'
    const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[/\0]|^\.{1,2}$/.test(text))
    fc.assert(
      fc.property(name, (name) => {
        const url = new URL(links.toDocument(`docs/${name}`) ?? '', base)
        expect(url.protocol).toBe('file:')
        expect(decodeURIComponent(url.pathname)).toBe(`/home/me/docs/${name.toWellFormed()}`)
      }),
    )
  })

  const render = (path: string, withLinks: boolean) => {
    const report = createReport([{ start: runStart, entries: [createDocumentEntry(path)] }])
    return [...renderReportHtml(report, withLinks ? links : undefined)].join('')
  }

  it('are in the page only if its place is known', () => {
    expect(render('a.md', true)).toContain('<a href="../a.md"><bdi>a.md</bdi></a>')
    expect(render('a.md', true)).toContain('data-documents="../" data-outputs="../summaries/"')
    expect(render('a.md', false)).not.toContain('href="../a.md"')
    expect(render('a.md', false)).toContain('data-documents="" data-outputs=""')
  })

  it('are written out for names that the page shows in another way', () => {
    expect(render('a\u202eb.md', true)).toContain('"link":"../a%E2%80%AEb.md"')
    expect(render('/srv/b.md', true)).toContain('"link":"../../../srv/b.md"')
    expect(render('docs/b.md', true)).not.toContain('"link"')
  })
})
