import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { toCitationFields } from '../../src/core/citations/citation-fields.ts'
import { addFootnotes } from '../../src/core/citations/format-footnotes.ts'
import type { ReportJson } from '../../src/core/report/report-json.ts'
import { createReportLinks, type ReportLinks } from '../../src/core/report/report-links.ts'
import { escapeControlChars } from '../../src/core/text/escape-control-chars.ts'
import { renderReportHtml } from '../../src/ui/report-html/render-report-html.ts'
import { openUrl, startBrowser, whyBrowserUnavailable } from '../support/browser.ts'
import {
  createDocumentEntry,
  createFailedEntry,
  createReport,
  runEnd,
  runStart,
  timestampAt,
} from '../support/ledger-entries.ts'

describe('the report page in a browser', () => {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (whyBrowserUnavailable() === undefined) browser = await startBrowser()
  })
  afterAll(() => browser?.close())
  beforeEach((context) => {
    const why = whyBrowserUnavailable()
    if (why !== undefined) context.skip(why)
  })

  /** Opens a report. @param files other files of its folder */
  async function opened(
    report: ReportJson,
    options: Parameters<typeof openUrl>[2] = {},
    links?: ReportLinks,
    files: Readonly<Record<string, string>> = {},
  ) {
    const folder = await mkdtemp(join(tmpdir(), 'report-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const file = join(folder, 'report.html')
    await writeFile(file, renderReportHtml(report, links))
    const { page, complaints, requests } = await openUrl(browser, `file://${file}`, options)
    const heading = (name: string) => page.locator('#table').getByRole('columnheader', { name })
    return {
      page,
      heading,
      quiet: () => expect([...complaints, ...requests]).toEqual([]),
      names: () => page.locator('.name').allTextContents(),
      styleOfFocus: (name: string) => page.evaluate(`getComputedStyle(document.activeElement).${name}`),
      shown: () => page.getByRole('status').textContent(),
      async sortBy(name: string) {
        await heading(name).getByRole('button').click()
        return heading(name).getAttribute('aria-sort')
      },
    }
  }

  function few() {
    const lines = Array.from({ length: 9 }, (_, n) =>
      createDocumentEntry(`docs/${n}.md`, { cost_usd: n === 4 ? null : n, latency_ms: 100 * n }),
    )
    const texts = new Map(
      lines.map(({ path }, n) => [
        path,
        n === 7 ? `Boats float.\n${'Ice, too. '.repeat(9)}So do cork and wood.` : `Summary ${n}`,
      ]),
    )
    return createReport(
      [{ start: runStart, entries: [...lines, createFailedEntry('bad.md', 'too long')], end: runEnd }],
      texts,
    )
  }

  it('sorts documents, with unknown values last', async () => {
    const { names, sortBy, heading, quiet } = await opened(few())
    expect(await heading('Document').getAttribute('aria-sort')).toBe('ascending')
    expect((await names()).slice(0, 2)).toEqual(['bad.md', 'docs/0.md'])
    expect(await sortBy('Cost')).toBe('descending')
    expect(await heading('Document').getAttribute('aria-sort')).toBeNull()
    expect((await names()).at(0)).toBe('docs/8.md')
    expect((await names()).at(-1)).toBe('docs/4.md')
    expect(await sortBy('Cost')).toBe('ascending')
    expect((await names()).at(0)).toBe('docs/0.md')
    expect((await names()).at(-1)).toBe('docs/4.md')
    quiet()
  })

  it('finds words in names, summaries and errors, and marks them', async () => {
    const { page, names, shown, quiet } = await opened(few())
    const search = page.getByLabel('Search')
    await search.fill('CORK float')
    expect(await names()).toEqual(['docs/7.md'])
    expect(await page.locator('.excerpt').textContent()).toMatch(/^… .*So do cork and wood\.$/)
    expect(await page.locator('mark').allTextContents()).toEqual(['cork'])
    expect(await shown()).toBe('1–1 of 1 found, of 10')
    await search.fill('too long')
    expect(await names()).toEqual(['bad.md'])
    await search.fill('no such thing')
    expect(await shown()).toBe('No document matches')
    await search.fill('')
    await page.getByLabel('Status').selectOption('failed')
    expect(await names()).toEqual(['bad.md'])
    quiet()
  })

  it('works with the keyboard: / to search, Enter to open a summary', async () => {
    const { page, names, heading, styleOfFocus, quiet } = await opened(few())
    await page.keyboard.press('/')
    await page.keyboard.type('docs/7')
    expect(await names()).toEqual(['docs/7.md'])
    const name = page.getByRole('button', { name: 'docs/7.md' })
    await name.focus()
    expect(await styleOfFocus('outlineStyle')).toBe('solid')
    await page.keyboard.press('Enter')
    expect(await name.getAttribute('aria-expanded')).toBe('true')
    expect(await page.locator('.text').textContent()).toContain('Boats float.\nIce, too.')
    await page.keyboard.press('Enter')
    expect(await page.locator('.text').count()).toBe(0)
    await heading('Cost').getByRole('button').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    expect(await heading('Cost').getAttribute('aria-sort')).toBe('ascending')
    quiet()
  })

  it('links an error and a folder to their documents', async () => {
    const { page, names, quiet } = await opened(few())
    await page.getByRole('link', { name: 'bad.md' }).click()
    expect(await names()).toEqual(['bad.md'])
    await page.getByRole('link', { name: 'docs', exact: true }).click()
    expect(await names()).toHaveLength(9)
    quiet()
  })

  it('shows ten thousand documents in pages, and searches and sorts all of them', async () => {
    const lines = Array.from({ length: 10_000 }, (_, n) =>
      createDocumentEntry(`docs/${n % 100}/${n}.md`, { cost_usd: n / 1e6 }),
    )
    const texts = new Map(lines.map(({ path }, n) => [path, `Summary ${n}. ${'Boats float. '.repeat(75)}`]))
    const { page, names, shown, sortBy, quiet } = await opened(
      createReport([{ start: runStart, entries: lines }], texts),
    )
    expect(await shown()).toBe('1–50 of 10,000')
    await page.getByRole('button', { name: 'Next' }).click()
    expect(await shown()).toBe('51–100 of 10,000')
    expect(await names()).toHaveLength(50)
    await page.getByLabel('Search').fill('boats 9876.')
    expect(await names()).toEqual(['docs/76/9876.md'])
    await page.getByLabel('Search').fill('')
    await sortBy('Cost')
    expect((await names()).at(0)).toBe('docs/99/9999.md')
    // On the last page the Next button is disabled, so the focus moves to Previous.
    await page.getByLabel('Search').fill('docs/99/')
    const next = page.getByRole('button', { name: 'Next' })
    await next.focus()
    await page.keyboard.press('Enter')
    expect(await shown()).toBe('51–100 of 100 found, of 10,000')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Previous')
    quiet()
  })

  it('shows hostile and right-to-left names as plain text', async () => {
    const hostile = [
      '<script>window.pwned = 1</script>',
      '"><img src=x onerror="window.pwned = 1">',
      '\u001b]0;title\u0007\u001b[31mred',
      'invoice\u202efdp.exe',
    ]
    const plain = ['docs/קובץ.md', 'מסמך.md']
    const lines = [
      ...hostile.map((path) => createFailedEntry(path, path)),
      ...plain.map((path) => createDocumentEntry(path)),
    ]
    const texts = new Map(lines.map(({ path }) => [path, path]))
    const { page, names, styleOfFocus, quiet } = await opened(
      createReport([{ start: runStart, entries: lines, end: runEnd }], texts),
    )
    expect((await names()).sort()).toEqual(
      [...hostile, ...plain].map((path) => escapeControlChars(path)).sort(),
    )
    for (const name of await page.locator('.name').all()) await name.click()
    expect(await page.locator('.text').allTextContents()).toEqual(await names())
    expect(await page.locator('main img, main script').count()).toBe(0)
    expect(await page.evaluate('typeof window.pwned')).toBe('undefined')
    await page.getByRole('button', { name: 'מסמך.md' }).focus()
    expect(await styleOfFocus('direction')).toBe('rtl')
    quiet()
  })

  it('would not run injected markup', async () => {
    const { page } = await opened(few())
    await page.evaluate(`
      const script = document.createElement('script')
      script.textContent = 'window.pwned = 1'
      document.body.append(script)
      document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.pwned = 1">')
    `)
    expect(await page.evaluate('typeof window.pwned')).toBe('undefined')
  })

  it('fits on a phone, and shows the main content without JavaScript', async () => {
    const phone = { viewport: { width: 360, height: 700 } }
    const { page, quiet } = await opened(few(), phone)
    await page.locator('.name').first().click()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    quiet()
    const without = await opened(few(), { javaScriptEnabled: false })
    expect(await without.page.locator('noscript, h1, tbody').allTextContents()).not.toEqual([])
    expect(await without.page.getByRole('row').filter({ hasText: 'docs/7.md' }).isVisible()).toBe(true)
    expect(await without.page.getByLabel('Search').isVisible()).toBe(false)
  })

  it('shows times in the time zone of the reader, with UTC as tooltip', async () => {
    const { page, quiet } = await opened(few(), { timezoneId: 'America/New_York', locale: 'en-US' })
    const time = page.locator('.setting time')
    expect(await time.textContent()).toMatch(/^Nov 22, 2026, 07:00\sAM EST$/)
    expect(await time.getAttribute('title')).toBe('2026-11-22 12:00 UTC')
    expect(await page.locator('#zone').textContent()).toContain('America/New_York')
    await page.locator('.name').first().click()
    expect(await page.locator('.facts time').first().textContent()).toContain('EST')
    quiet()
    const without = await opened(few(), { javaScriptEnabled: false })
    expect(await without.page.locator('.setting time').textContent()).toBe('2026-11-22 12:00 UTC')
  })

  it('links documents and summaries, also with hostile names', async () => {
    const paths = ['docs/a b.md', 'javascript:window.pwned = 1', 'c\u202ed.md', '/srv/e.md', '50%#?.md']
    const lines = paths.map((path) =>
      createDocumentEntry(path, {
        output: { path: `${path.replace(/^\//, '')}.summary.md`, size_bytes: 1, mtime_ms: 1, sha256: '' },
      }),
    )
    const links = createReportLinks('/home/me/reports', '/home/me', '/home/me/summaries')
    const { page, quiet } = await opened(createReport([{ start: runStart, entries: lines }]), {}, links)
    const hrefs = await page
      .locator('.open-file')
      .evaluateAll((all) => all.map((a) => a.getAttribute('href')))
    expect(hrefs.sort()).toEqual(
      lines
        .flatMap(({ path, output }) => [links.toDocument(path), links.toOutput(output?.path ?? '')])
        .sort(),
    )
    quiet()
  })

  it('opens a passage next to the statement that it supports, and none for a mark that the model wrote', async () => {
    const summary = 'The gate holds [1]. The ferry was late [c1].'
    const passage = (start: number, quote: string, place?: string) => ({
      supports: { start, end: start + 14 },
      quote,
      found: { start, end: start + quote.length },
      ...(place !== undefined && { place }),
    })
    const wrong = { supports: { start: 0, end: 5 }, quote: 'A quote that is nowhere.' }
    const hostile = '<img src=x onerror="window.pwned = 1">\u202e'
    const citations = [passage(0, `The gate ${hostile}`, 'page 3'), wrong, passage(20, 'It was late.')]
    const entry = createDocumentEntry('a b.pdf', { citations: citations.map(toCitationFields) })
    const texts = new Map([['a b.pdf', addFootnotes(summary, citations)]])
    const report = createReport([{ start: runStart, entries: [entry], end: runEnd }], texts)
    const { page, quiet } = await opened(report, {}, createReportLinks('/r', '/r', '/r/s'))
    await page.locator('.name').click()
    const marks = page.locator('.cite')
    expect(await marks.allTextContents()).toEqual(['[cc1]', '[cc2]'])
    expect(await page.locator('.passage:visible').count()).toBe(0)
    await marks.first().click()
    expect(await marks.first().getAttribute('aria-expanded')).toBe('true')
    expect(await page.locator('.passage:visible').allTextContents()).toEqual([
      'page 3The gate <img src=x onerror="window.pwned = 1">',
    ])
    expect(await page.locator('.passage:visible a').getAttribute('href')).toBe('./a%20b.pdf#page=3')
    await marks.first().press('Enter')
    expect(await page.locator('.passage:visible').count()).toBe(0)
    expect(await page.locator('.text').textContent()).not.toContain('nowhere')
    expect(await page.evaluate('typeof window.pwned')).toBe('undefined')
    await page.locator('#search').fill('gate')
    expect(await page.locator('.text mark').first().textContent()).toBe('gate')
    quiet()
  })

  it('has no marks for numbers that the model wrote, if the summary has no footnotes or is cut', async () => {
    const summary = 'The ferry is safe [1]. It was never late [2].'
    const citations = [0, 5].map((start) => ({
      supports: { start: 0, end: 9 },
      quote: 'The gate holds.',
      found: { start, end: start + 9 },
    }))
    const long = `${summary} ${'It is long. '.repeat(3000)}`
    const documents = [
      ['plain.md', summary],
      ['edited.md', `${addFootnotes(summary, citations)}\n[1] "More"`],
      ...Array.from({ length: 700 }, (_, n) => [`long-${n}.md`, addFootnotes(long, citations)] as const),
    ] as const
    const entries = documents.map(([path]) =>
      createDocumentEntry(path, { citations: citations.map(toCitationFields) }),
    )
    const report = createReport([{ start: runStart, entries, end: runEnd }], new Map(documents))
    const { page } = await opened(report)
    for (const name of ['plain.md', 'edited.md', 'long-7.md']) {
      await page.locator('#search').fill(name)
      await page.locator('.name').first().click()
      await page.locator('.text').first().waitFor()
      expect(await page.locator('.text').first().textContent()).toContain('late [2].')
      expect(await page.locator('.cite').count()).toBe(0)
    }
  })

  it.each([
    ['a.pdf', 'page 3', 'page=3'],
    [
      'a.html',
      'section Methods',
      ':~:text=high%20%E2%80%94%20was%20built%20in%20that%20year%2C%20and%20it%20holds.',
    ],
    [
      'A.TXT',
      undefined,
      ':~:text=The%20**gate**%20%E2%80%94%20well%2Dknown%2C%20%5B5,that%20year%2C%20and%20it%20holds.',
    ],
    [
      'a.md',
      'section Überblick & Plan, line 7, line 40',
      '%C3%BCberblick--plan-line-7:~:text=high%20%E2%80%94%20was%20built%20in%20that%20year%2C%20and%20it%20holds.',
    ],
    ['a.docx', 'section Methods', undefined],
  ])('links a passage of %s in a way that browsers understand', async (path, place, fragment) => {
    const quote = 'The **gate** — well-known, [5 m](x.md) high — was built in that year, and it holds.'
    const citation = {
      supports: { start: 0, end: 14 },
      quote,
      found: { start: 0, end: 9 },
      ...(place && { place }),
    }
    const entry = createDocumentEntry(path, { citations: [toCitationFields(citation)] })
    const texts = new Map([[path, addFootnotes('The gate holds.', [citation])]])
    const report = createReport([{ start: runStart, entries: [entry], end: runEnd }], texts)
    const { page } = await opened(report, {}, createReportLinks('/r', '/r', '/r/s'))
    await page.locator('.name').click()
    await page.locator('.cite').first().click()
    const hrefs = await page
      .locator('.passage:visible a')
      .evaluateAll((all) => all.map((a) => a.getAttribute('href')))
    expect(hrefs).toEqual(fragment === undefined ? [] : [`./${path}#${fragment}`])
  })

  it.each(['page.html', 'log.txt'])('opens %s at the passage', async (name) => {
    const filler = Array.from({ length: 300 }, (_, n) => `<p>Filler number ${n}.</p>\n`).join('')
    const sentence =
      'The <b>tide</b> gate was built by the board in the year of the great storm, and it holds.'
    const html = `<!doctype html><title>T</title>${filler}<p>${sentence}</p>${filler}`
    const quote = sentence.replace(/<\/?b>/g, '')
    const content = name.endsWith('.txt') ? html.replace(/<[^>]*>/g, '') : html
    const citation = { supports: { start: 0, end: 14 }, quote, found: { start: 0, end: 9 } }
    const entry = createDocumentEntry(name, { citations: [toCitationFields(citation)] })
    const texts = new Map([[name, addFootnotes('The gate holds.', [citation])]])
    const report = createReport([{ start: runStart, entries: [entry], end: runEnd }], texts)
    const links = createReportLinks('/r', '/r', '/r/s')
    const { page } = await opened(report, {}, links, { [name]: content })
    await page.locator('.name').click()
    await page.locator('.cite').first().click()
    await page.locator('.passage:visible a').click()
    await expect.poll(() => page.evaluate('window.scrollY'), { timeout: 10_000 }).toBeGreaterThan(1000)
  })

  it('has no horizontal scroll bar at 400 pixels, also with charts and links', async () => {
    const lines = Array.from({ length: 60 }, (_, n) =>
      createDocumentEntry(`docs/a-rather-long-name-of-a-document-${n}.md`, {
        ended_at: timestampAt(900 * (n + 1)),
        latency_ms: 300 + 40 * n,
      }),
    )
    const links = createReportLinks('/r', '/r', '/r/s')
    const report = createReport([{ start: { ...runStart, simulated: true }, entries: lines, end: runEnd }])
    const { page } = await opened(report, { viewport: { width: 400, height: 900 } }, links)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400)
    const rightEdges = await page
      .locator('.columns text')
      .evaluateAll((all) => all.map((text) => text.getBoundingClientRect()).map(({ right }) => right))
    expect(rightEdges.length).toBeGreaterThan(5)
    expect(Math.max(...rightEdges)).toBeLessThanOrEqual(400)
  })
})
