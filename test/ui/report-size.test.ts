import { describe, expect, it } from 'vitest'
import { toCitationFields } from '../../src/core/citations/citation-fields.ts'
import { addFootnotes } from '../../src/core/citations/format-footnotes.ts'
import { renderReportHtml } from '../../src/ui/report-html/render-report-html.ts'
import { computeTextLimit, shortenText } from '../../src/ui/report-html/text-budget.ts'
import { createDocumentEntry, createReport, runStart, timestampAt } from '../support/ledger-entries.ts'

/** Returns the page about documents with long names and long summaries, and its size in bytes. */
function renderMany(count: number) {
  const entries = Array.from({ length: count }, (_, n) => {
    const path = `archive/department-${n % 40}/2026/${n}-minutes-of-the-harbour-board.md`
    return createDocumentEntry(path, {
      ended_at: timestampAt(n * 60),
      cost_usd: (n % 997) / 1e7,
      latency_ms: 300 + (n % 700),
      output: { path: `${path}.summary.md`, size_bytes: 1, mtime_ms: 1, sha256: '' },
    })
  })
  const texts = new Map(entries.map(({ path }) => [path, 'Boats float & <b>ice</b> does, too. '.repeat(60)]))
  let html = ''
  let bytes = 0
  for (const piece of renderReportHtml(createReport([{ start: runStart, entries }], texts))) {
    bytes += Buffer.byteLength(piece)
    if (html.length < 1e6) html += piece
  }
  return { html, bytes }
}

describe('the size of a report page', () => {
  it('stays below 20 MB for 100,000 documents, and the page says what it leaves out', () => {
    const { html, bytes } = renderMany(100_000)
    expect(bytes).toBeLessThan(20_000_000)
    expect(html).toMatch(
      /To stay small, this page has (no summaries|only the first \d+ bytes of each summary); the files in the output folder are complete\./,
    )
  })

  it('stays below 20 MB for many long passages, which are there only with their text', () => {
    const citations = Array.from({ length: 40 }, (_, n) => ({
      supports: { start: 0, end: 16 },
      quote: `${n} ${'Boats float. '.repeat(22)}`,
      found: { start: n, end: n + 9 },
    }))
    const text = addFootnotes('The boats float.', citations)
    const entries = Array.from({ length: 2500 }, (_, n) =>
      createDocumentEntry(`${n}.md`, { citations: citations.map(toCitationFields) }),
    )
    const texts = new Map(entries.map(({ path }) => [path, text]))
    const html = [...renderReportHtml(createReport([{ start: runStart, entries }], texts))].join('')
    expect(Buffer.byteLength(html)).toBeLessThan(20_000_000)
    expect(html).toContain('"output_text":"The boats float [1]')
    expect(html).not.toContain('"passages"')
    const few = [
      ...renderReportHtml(createReport([{ start: runStart, entries: entries.slice(0, 9) }], texts)),
    ].join('')
    expect(few.split('"passages"').length).toBe(10)
  })

  it('has all texts where they fit', () => {
    const { html, bytes } = renderMany(2000)
    expect(html).not.toContain('To stay small')
    expect(bytes).toBeGreaterThan(4_000_000)
  })

  it('shares the space between texts: short ones stay whole', () => {
    expect(computeTextLimit([100, 100, 1000, 2000], 1200)).toBe(500)
    expect(computeTextLimit([100, 100], 200)).toBe(Number.POSITIVE_INFINITY)
    expect(computeTextLimit([1000, 1000], 70)).toBe(0)
    expect(computeTextLimit([], -5)).toBe(Number.POSITIVE_INFINITY)
  })

  it('shortens texts to a number of bytes without splitting a character', () => {
    expect(shortenText('Boats float.', 50)).toBe('Boats float.')
    for (const text of ['a'.repeat(500), '<'.repeat(500), '🚢'.repeat(500), '\n"é'.repeat(300)]) {
      const shortened = shortenText(text, 100) ?? ''
      expect(Buffer.byteLength(JSON.stringify(shortened).replaceAll('<', '\\u003c'))).toBeLessThanOrEqual(100)
      expect(shortened).toMatch(/^.+ …$/s)
      expect(shortened.isWellFormed()).toBe(true)
    }
    expect(shortenText('Boats float.', 0)).toBeUndefined()
  })
})
