import { describe, expect, it } from 'vitest'
import { explainBottleneck } from '../../src/ui/explain-bottleneck.ts'
import { renderReportHtml } from '../../src/ui/report-html/render-report-html.ts'
import {
  createDocumentEntry,
  createReport,
  runEnd,
  runStart,
  timestampAt,
} from '../support/ledger-entries.ts'

describe('the time of documents in a report', () => {
  it('has shares that agree with the bottleneck, without the time before it was their turn', () => {
    const entries = Array.from({ length: 10 }, (_, n) =>
      createDocumentEntry(`${n}`, { ended_at: timestampAt(5000 * (n + 1)) }),
    )
    const end = { ...runEnd, limited_by: 'API latency' }
    const html = [...renderReportHtml(createReport([{ start: runStart, entries, end }]))].join('')
    expect(html).toContain(
      '<th scope="row">API latency (waiting for the answer)</th><td>80 %, 400 ms each</td>',
    )
    expect(html).toContain(
      'Before that, a document waited 27 s on average for its turn, because up to 12 requests were in flight at a time.',
    )
    expect(html).toContain('Limited by API latency: the API needs this long to write its answers')
    expect(html).not.toContain('waiting for the concurrency limit')
  })

  it.each([
    ['API latency', /^Limited by API latency: the API needs this long/],
    ['the concurrency limit of 8', /^Limited by the concurrency limit of 8: no more requests/],
    ['400 requests per minute, 98 % used', /98 % used: no more is allowed/],
    ['batch processing time', /^Limited by batch processing time: the API processes/],
    ['something new', /^Limited by: something new\.$/],
  ])('explains the bottleneck “%s”', (limitedBy, words) => {
    expect(explainBottleneck(limitedBy)).toMatch(words)
  })
})
