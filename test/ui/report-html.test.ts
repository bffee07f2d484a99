import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RecordedRun } from '../../src/core/report/recorded-run.ts'
import type { ReportJson } from '../../src/core/report/report-json.ts'
import { escapeControlChars } from '../../src/core/text/escape-control-chars.ts'
import { renderReportHtml } from '../../src/ui/report-html/render-report-html.ts'
import {
  createDocumentEntry,
  createFailedEntry,
  createReport,
  runEnd,
  runStart,
  timestampAt,
} from '../support/ledger-entries.ts'

const htmlOf = (report: ReportJson) => [...renderReportHtml(report)].join('')
const within = (tag: string, html: string) =>
  new RegExp(`<${tag}>(.*?)</${tag.split(' ')[0]}>`, 's').exec(html)?.[1] ?? ''
const dataIn = (html: string) => within('script type="application/json" id="data"', html)

/** Creates a report that contains this text in every place for untrusted text. */
function saying(text: string): ReportJson {
  const facts = { model: text, prompt: text }
  const lines = [
    createDocumentEntry(`${text}/a`, facts),
    createDocumentEntry(`${text}/b`),
    { ...createFailedEntry(`c/${text}`, text), ...facts },
  ]
  const end = {
    ...runEnd,
    stop_reason: text,
    limited_by: text,
    skipped_by_reason: { [text]: 1 },
    retries_by_cause: { [text]: 2 },
  }
  const runs: RecordedRun[] = [
    { start: { ...runStart, ...facts }, entries: lines, end },
    { start: { ...runStart, ...facts, run_id: 'r2' }, entries: [], end },
  ]
  return createReport(runs, new Map(lines.map(({ path }) => [path, text])))
}

/** Returns all tags outside scripts. */
const tagsIn = (html: string) =>
  html.replace(/<script.*?<\/script>| data-sought="[^"]*"/gs, '').match(/<[^>]*>?/g) ?? []

describe('untrusted text', () => {
  const hostile = [
    '<',
    '>',
    '"',
    "'",
    '&',
    '`',
    '</script>',
    '<!--',
    '\u001b[31m',
    '\u202e',
    '/',
    'a',
    '=',
    '\n',
  ]
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...hostile)).map((parts) => parts.join('')),
  )
  const nothingElse = tagsIn(htmlOf(saying('a')))

  it('never becomes markup', () => {
    fc.assert(
      fc.property(text, (text) => {
        // A report with only one folder, or without a stop reason, has other sections.
        fc.pre(text !== 'c' && text !== '')
        const html = htmlOf(saying(text))
        expect(tagsIn(html)).toEqual(nothingElse)
        expect(html).not.toContain('\u202e')
      }),
    )
  })

  it('is unchanged in the data for the script, except for escaped control characters', () => {
    fc.assert(
      fc.property(text, (text) => {
        const data = dataIn(htmlOf(saying(text)))
        expect(data).not.toContain('<')
        const [row] = JSON.parse(data)
        expect(row).toMatchObject({ path: escapeControlChars(`${text}/a`), model: escapeControlChars(text) })
        expect(row.output_text).toBe(escapeControlChars(text.replaceAll('\r\n', '\n'), '\n\t'))
      }),
    )
  })
})

describe('the report page', () => {
  it('allows only its own script and style in its security policy', () => {
    const html = htmlOf(saying('a'))
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]?.split('; ')
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain(`style-src ${hash(within('style', html))}`)
    expect(policy).toContain(`script-src ${hash(within('script type="module"', html))}`)
    expect(html).not.toMatch(/ style=| on\w+=/)
  })

  it('never shows an unknown cost or token count as zero', () => {
    const unknown = { usage: null, cost_usd: null }
    const all = htmlOf(
      createReport([
        { start: runStart, entries: [createDocumentEntry('a', unknown), createDocumentEntry('b', unknown)] },
      ]),
    )
    expect(all).toContain('<dt>Cost</dt><dd>unknown</dd>')
    expect(all).toContain('<dt>Tokens in</dt><dd>unknown</dd>')
    expect(all).not.toContain('$0')
    const some = htmlOf(
      createReport([
        { start: runStart, entries: [createDocumentEntry('a', unknown), createDocumentEntry('b')] },
      ]),
    )
    expect(some).toContain('<dd>$0.00015 and an unknown part</dd>')
  })

  it('shows that simulated runs cost nothing, and that the end of a run is not recorded', () => {
    const run = { ...runStart, simulated: true } as const
    const html = htmlOf(createReport([{ start: run, entries: [createDocumentEntry('a')] }]))
    expect(html).toContain('simulated: nothing was spent')
    expect(html).toContain('The end of this run is not recorded')
    expect(html).toContain('<dt>Time</dt><dd>–</dd>')
  })

  it('shows charts of throughput, with its limit, and of latencies', () => {
    const lines = Array.from({ length: 100 }, (_, n) =>
      createDocumentEntry(`${n}`, { ended_at: timestampAt(600 * n + 500) }),
    )
    const html = htmlOf(createReport([{ start: runStart, entries: lines, end: runEnd }]))
    expect(html).toContain(
      'aria-label="Documents finished per minute over the run: 100 a minute on average, 33 % of the limit of 300, at most',
    )
    expect(html).toContain('>limit 300</text>')
    expect(html).toContain('aria-label="Requests in flight over the run:')
    expect(html).toContain(
      'aria-label="Latency of 100 replies: p50 400 ms, p95 400 ms, p99 400 ms, max 400 ms."',
    )
  })

  it('has a table of runs and the cost of each day', () => {
    const day = 86_400_000
    const runs = [0, 2].map(
      (n): RecordedRun => ({
        start: { ...runStart, run_id: `r${n}`, started_at: timestampAt(n * day) },
        entries: [createDocumentEntry(`${n}`, { ended_at: timestampAt(n * day + 500) })],
      }),
    )
    const html = htmlOf(createReport(runs))
    expect(html).toContain(
      'aria-label="Cost by day, from 2026-11-22 to 2026-11-24: $0.00015 on 2026-11-22, the highest."',
    )
    expect(html.match(/end not recorded/g)).toHaveLength(2)
    expect(html).not.toContain('<h2>Throughput</h2>')
  })

  it.each<[string, RecordedRun[], string]>([
    ['no runs', [], 'No runs yet'],
    ['a run that sent nothing', [{ start: runStart, entries: [], end: runEnd }], 'No document was sent'],
    [
      'one document',
      [{ start: runStart, entries: [createDocumentEntry('a')], end: runEnd }],
      '1 document summarized',
    ],
    [
      'only failures',
      [{ start: runStart, entries: [createFailedEntry('a', 'no'), createFailedEntry('b', 'no')] }],
      'None of 2 documents summarized',
    ],
  ])('can be rendered for %s', (_, runs, title) => {
    const html = htmlOf(createReport(runs))
    expect(html).toContain(`<h1>${title}</h1>`)
    expect(within('body', html)).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('is rendered in small pieces', () => {
    const lines = Array.from({ length: 20_000 }, (_, n) => createDocumentEntry(`${n}`))
    const pieces = [...renderReportHtml(createReport([{ start: runStart, entries: lines }]))]
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(500_000)
  })
})
