import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addTotals, type Totals, toTotals } from '../../../src/core/pricing/totals.ts'
import { ledgerFormatVersion } from '../../../src/core/run/ledger-entry.ts'
import { parseLedgerEntry } from '../../../src/core/run/parse-ledger-entry.ts'

const time = '2026-11-22T03:00:00.000Z'
const usage = {
  input_tokens: 100,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 7,
}
const format_version = ledgerFormatVersion
const finished = {
  ...{ type: 'document', format_version, path: 'a.md', ended_at: time, settings_hash: 'r', prompt: 'p@v1' },
  ...{ model: 'm', usage, cost_usd: 0.1, elapsed_ms: 1, attempts: 1, request_id: null },
}
const output = { path: 'a.md.summary.md', size_bytes: 5, mtime_ms: 2.5, sha256: '0123456789abcdef' }
const read = { size_bytes: 1, mtime_ms: 1.5, request_hash: 'k' }
const error = { kind: 400, type: 'x', message: 'y', transient: false }
const documents = { summarized: 1, failed: 0, skipped: 0, pending: 0 }
const sums: Totals = {
  ...{ summarized: 1, failed: 0, pending: 0, usage, cost_picodollars: '5' },
  ...{ documents_with_unknown_cost: 0, lost_replies: 0 },
}
const runEnd = {
  ...{ type: 'run_end', format_version, run_id: 'r', ended_at: time, duration_ms: 1, documents },
  ...{ skipped_by_reason: {}, requests: 1, retries_by_cause: {}, max_in_flight: 1 },
}
const good = {
  summarized: { ...finished, status: 'summarized', ...read, output, quality_issues: ['copy'] },
  failed: { ...finished, status: 'failed', error, output: { ...output, path: 'a.md.error.txt' } },
  pending: { ...finished, status: 'pending', usage: null, cost_usd: null },
  unchanged: { type: 'unchanged', format_version, path: 'a.md', at: time, ...read, settings_hash: 'r' },
  pruned: { type: 'pruned', format_version, path: 'a.md', at: time },
  run_start: {
    ...{ type: 'run_start', format_version, run_id: 'r', started_at: time, program_version: '1' },
    ...{ cwd: '..', prompt: 'p@v1', model: 'm', simulated: true },
  },
  run_end: { ...runEnd, limits: { requests: 50 }, limited_by: 'nothing' },
  compacted: { type: 'compacted', format_version, at: time, totals: sums },
}
type Kind = keyof typeof good

const isDamaged = (line: object) => parseLedgerEntry(JSON.stringify(line)).type === 'damaged'

describe('parseLedgerEntry', () => {
  it.each(Object.entries(good))('parses a complete entry, also with an unknown field: %s', (_, line) => {
    expect(parseLedgerEntry(JSON.stringify(line))).toEqual(line)
    expect(isDamaged({ ...line, something_new: [1] })).toBe(false)
  })

  it.each(['"path":"', '"path":"\\\\', '"output":{"path":"x","sha256":'])(
    'reports a truncated line of millions of characters as damaged: %s…',
    (start) => {
      expect(parseLedgerEntry(start + 'x'.repeat(30_000_000))).toMatchObject({ type: 'damaged' })
      expect(parseLedgerEntry(start + '\\x'.repeat(10_000_000))).toMatchObject({ type: 'damaged' })
    },
  )

  it.each<[Kind, object]>([
    ['summarized', { cost_usd: 1e300 }],
    ['summarized', { cost_usd: '1' }],
    ['summarized', { cost_usd: -1 }],
    ['summarized', { usage: { ...usage, input_tokens: 1e300 } }],
    ['summarized', { usage: { ...usage, output_tokens: null } }],
    ['summarized', { usage: 5 }],
    ['summarized', { size_bytes: -1 }],
    ['summarized', { size_bytes: undefined }],
    ['summarized', { request_hash: undefined }],
    ['summarized', { output: undefined }],
    ['summarized', { mtime_ms: 'NaN' }],
    ['summarized', { ended_at: 'yesterday' }],
    ['summarized', { ended_at: '2026-99-99T00:00:00.000Z' }],
    ['summarized', { quality_issues: 'copy' }],
    ['summarized', { quality_issues: [5] }],
    ['summarized', { path: 'a\0.md' }],
    ['summarized', { path: ['a.md'] }],
    ['summarized', { prompt: undefined }],
    ['summarized', { attempts: {} }],
    ['summarized', { text_kind: 'toString' }],
    ['summarized', { output: { ...output, path: '.git/config' } }],
    ['summarized', { output: { ...output, path: 'a.md.error.txt' } }],
    ['summarized', { output: { ...output, path: '../a.md.summary.md' } }],
    ['summarized', { output: { ...output, size_bytes: null } }],
    ['failed', { output: { ...output, path: '../../.ssh/id_rsa' } }],
    ['failed', { output: { ...output, path: '.ssh/id_rsa' } }],
    ['failed', { error: { ...error, message: { toString: 5 } } }],
    ['failed', { error: null }],
    ['pending', { status: '__proto__' }],
    ['pending', { status: 'constructor' }],
    ['unchanged', { size_bytes: null }],
    ['run_start', { cwd: 5 }],
    ['run_start', { cwd: 'a\0' }],
    ['run_start', { type: 'run_end' }],
    ['run_start', { type: 'toString' }],
    ['run_start', { type: ['run_start'] }],
    ['run_start', { type: undefined }],
    ['run_end', { documents: { ...documents, pending: 'x' } }],
    ['run_end', { documents: null }],
    ['run_end', { limits: { requests: -1 } }],
    ['run_end', { retries_by_cause: { x: [] } }],
    ['compacted', { totals: { ...sums, cost_picodollars: '1e300' } }],
    ['compacted', { totals: { ...sums, cost_picodollars: '-5' } }],
    ['compacted', { totals: { ...sums, usage: {} } }],
    ['pruned', { type: 'damaged' }],
    ['pruned', { type: 'other_version' }],
    ['pruned', { format_version: String(format_version) }],
    ['pruned', { format_version: undefined }],
  ])('reports an entry with an invalid field as damaged: %s with %j', (kind, change) => {
    expect(isDamaged({ ...good[kind], ...change })).toBe(true)
  })

  it('never throws for any field value, and toTotals accepts every parsed document entry', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.double(), fc.string())
    const changes = fc.dictionary(fc.constantFrom(...Object.keys(good.summarized)), anything)
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(good)), changes, (line, change) => {
        const read = parseLedgerEntry(JSON.stringify({ ...line, ...change }))
        if (read.type === 'document') addTotals(toTotals(read), sums)
      }),
    )
  })

  it('recovers the path and the summary hash of a damaged line if they are complete', () => {
    const text = JSON.stringify(good.summarized)
    expect(parseLedgerEntry(text.slice(0, text.indexOf('"quality_issues"')))).toMatchObject({
      path: 'a.md',
      summaryHash: '0123456789abcdef',
    })
    expect(parseLedgerEntry(text.slice(0, text.indexOf('cdef')))).not.toHaveProperty('summaryHash.length', 16)
    expect(parseLedgerEntry(text.slice(0, text.indexOf('9abcdef')))).not.toHaveProperty('summaryHash')
  })
})
