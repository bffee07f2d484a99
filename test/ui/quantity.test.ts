import { describe, expect, it } from 'vitest'
import type { RunStart } from '../../src/core/run/ledger-entry.ts'
import { formatAllDigitsUsd, formatRoundedCount, formatRoundedUsd } from '../../src/ui/quantity.ts'
import { renderReportMarkdown } from '../../src/ui/render-report-markdown.ts'
import { renderReportHtml } from '../../src/ui/report-html/render-report-html.ts'
import { createDocumentEntry, createReport, runStart, timestampAt } from '../support/ledger-entries.ts'

describe('the numbers of a report', () => {
  it.each([
    [0, '0'],
    [9_123, '9,123'],
    [9_999.6, '10k'],
    [260_273, '260k'],
    [999_960, '1M'],
    [1_028_841, '1.03M'],
    [2_345_678_901, '2.35B'],
  ])('rounds the count %d to %s', (count, text) => {
    expect(formatRoundedCount(count)).toBe(text)
  })

  it.each([
    [0, '$0', '$0'],
    [0.0001046, '$0.000105', '$0.0001046'],
    [0.02603, '$0.026', '$0.02603'],
    [0.5, '$0.50', '$0.50'],
    [0.99999, '$1.00', '$0.99999'],
    [12.3456, '$12.35', '$12.3456'],
    [123.456, '$123', '$123.456'],
    [12_345.678, '$12.3k', '$12345.678'],
  ])('rounds the cost %d to %s', (usd, rounded, all) => {
    expect([formatRoundedUsd(usd), formatAllDigitsUsd(usd)]).toEqual([rounded, all])
  })

  it('are rounded in the main figures, with the exact number as tooltip', () => {
    const entries = Array.from({ length: 13 }, (_, n) => createDocumentEntry(`${n}`, { cost_usd: 0.0012345 }))
    const html = [...renderReportHtml(createReport([{ start: runStart, entries }]))].join('')
    expect(html).toContain('<dt>Cost</dt><dd><span title="$0.0160485">$0.016</span></dd>')
    expect(html).toContain('<dt>Tokens in</dt><dd><span title="13,000">13k</span></dd>')
  })
})

describe('a simulated cost', () => {
  const simulatedStart: RunStart = { ...runStart, simulated: true }
  const entries = ['a/x', 'b/y'].map((path, n) =>
    createDocumentEntry(path, { ended_at: timestampAt(n * 86_400_000) }),
  )
  const report = createReport([
    { start: simulatedStart, entries: entries.slice(0, 1) },
    { start: { ...simulatedStart, run_id: 'r2' }, entries: entries.slice(1) },
  ])

  it('is marked in the figures, charts and tables of the page', () => {
    const html = [...renderReportHtml(report)].join('').replace(/<script.*?<\/script>/gs, '')
    const costs = html.match(/\$0\.000\d+( \(simulated\))?/g) ?? []
    expect(costs.length).toBeGreaterThan(8)
    // A mean in the notes, next to the marked total, and the labels of grid lines.
    const unmarked = html.match(/\$0\.0[\d.]+(?! \(simulated\))(?![\d.])[^"]{0,12}/g) ?? []
    expect(unmarked.filter((text) => !/a summary|<\/text>|^\$0\.000\d+$/.test(text))).toEqual([])
  })

  it('is marked in the row of a document, also next to real costs', () => {
    const mixed = createReport([
      { start: simulatedStart, entries: entries.slice(0, 1) },
      { start: { ...runStart, run_id: 'r2' }, entries: entries.slice(1) },
    ])
    expect(mixed.documents.map(({ simulated }) => simulated)).toEqual([true, false])
    const text = renderReportMarkdown(mixed)
    expect(text).toContain('| `a/x` | summarized | 1,000 | 100 | 400 ms | $0.00015 (simulated) |')
    expect(text).toContain('| `b/y` | summarized | 1,000 | 100 | 400 ms | $0.00015 |')
  })
})
