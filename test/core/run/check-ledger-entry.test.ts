import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addTotals, toTotals } from '../../../src/core/pricing/totals.ts'
import { type DocumentEntry, parseLedgerEntry } from '../../../src/core/run/ledger-entry.ts'

const time = '2026-11-22T03:00:00.000Z'
const usage = { input: 100, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, output: 7 }
const base = { v: 1, time }
const finished = {
  ...{ ...base, path: 'a.md', recipe: 'r', prompt: 'p@v1', model: 'm', usage, cost_usd: 0.1 },
  ...{ elapsed_ms: 1, attempts: 1, request_id: null },
}
const output = { file: 'a.md.summary.md', size: 5, mtime: 2.5, sha256: '0123456789abcdef' }
const error = { kind: 400, type: 'x', message: 'y', transient: false }
const documents = { summarized: 1, failed: 0, skipped: 0, pending: 0 }
const sums = { summarized: 1, failed: 0, pending: 0, usage, cost_picodollars: '5', unknown_cost: 0, lost: 0 }
const ended = { wall_ms: 1, documents, skipped: {}, requests: 1, retries: {}, most_in_flight: 1, limits: {} }
const good = {
  summarized: { ...finished, status: 'summarized', size: 1, mtime: 1.5, key: 'k', output, doubts: ['copy'] },
  failed: { ...finished, status: 'failed', error, output: { ...output, file: 'a.md.error.txt' } },
  pending: { ...finished, status: 'pending', usage: null, cost_usd: null },
  unchanged: { ...base, path: 'a.md', status: 'unchanged', size: 1, recipe: 'r', key: 'k' },
  pruned: { ...base, path: 'a.md', status: 'pruned' },
  run: { ...base, run: 'r', version: '1', base: '..', prompt: 'p@v1', model: 'm', simulated: true },
  ended: { ...base, ended: 'r', ...ended, limits: { requests: 50 }, bound_by: 'nothing' },
  dropped: { ...base, dropped: sums },
}
type Kind = keyof typeof good

const isDamaged = (line: object) => 'damaged' in parseLedgerEntry(JSON.stringify(line))

describe('a line of the ledger', () => {
  it.each(Object.entries(good))('is read where it is whole: %s', (_, line) => {
    expect(parseLedgerEntry(JSON.stringify(line))).toEqual(line)
    expect(isDamaged({ ...line, something_new: [1] })).toBe(false)
  })

  it.each(['"path":"', '"path":"\\\\', '"output":{"path":"x","sha256":'])(
    'of millions of characters that is torn is damaged: %s…',
    (start) => {
      expect(parseLedgerEntry(start + 'x'.repeat(30_000_000))).toHaveProperty('damaged')
      expect(parseLedgerEntry(start + '\\x'.repeat(10_000_000))).toHaveProperty('damaged')
    },
  )

  it.each<[Kind, object]>([
    ['summarized', { cost_usd: 1e300 }],
    ['summarized', { cost_usd: '1' }],
    ['summarized', { cost_usd: -1 }],
    ['summarized', { usage: { ...usage, input: 1e300 } }],
    ['summarized', { usage: { ...usage, output: null } }],
    ['summarized', { usage: 5 }],
    ['summarized', { size: -1 }],
    ['summarized', { mtime: 'NaN' }],
    ['summarized', { time: 'yesterday' }],
    ['summarized', { time: '2026-99-99T00:00:00.000Z' }],
    ['summarized', { doubts: 'copy' }],
    ['summarized', { doubts: [5] }],
    ['summarized', { path: 'a\0.md' }],
    ['summarized', { path: ['a.md'] }],
    ['summarized', { prompt: undefined }],
    ['summarized', { attempts: {} }],
    ['summarized', { kind: 'toString' }],
    ['summarized', { output: { ...output, file: '.git/config' } }],
    ['summarized', { output: { ...output, file: 'a.md.error.txt' } }],
    ['summarized', { output: { ...output, file: '../a.md.summary.md' } }],
    ['summarized', { output: { ...output, size: null } }],
    ['failed', { output: { ...output, file: '../../.ssh/id_rsa' } }],
    ['failed', { output: { ...output, file: '.ssh/id_rsa' } }],
    ['failed', { error: { ...error, message: { toString: 5 } } }],
    ['failed', { error: null }],
    ['pending', { status: '__proto__' }],
    ['pending', { status: 'constructor' }],
    ['unchanged', { size: null }],
    ['run', { base: 5 }],
    ['run', { base: 'a\0' }],
    ['run', { path: 5 }],
    ['run', { ended: 'r' }],
    ['ended', { documents: { ...documents, pending: 'x' } }],
    ['ended', { documents: null }],
    ['ended', { limits: { requests: -1 } }],
    ['ended', { retries: { x: [] } }],
    ['dropped', { dropped: { ...sums, cost_picodollars: '1e300' } }],
    ['dropped', { dropped: { ...sums, cost_picodollars: '-5' } }],
    ['dropped', { dropped: { ...sums, usage: {} } }],
    ['pruned', { damaged: 5 }],
    ['pruned', { newer: 'x' }],
    ['pruned', { v: '1' }],
  ])('is damaged where the code could not rely on it: %s with %j', (kind, change) => {
    expect(isDamaged({ ...good[kind], ...change })).toBe(true)
  })

  it('is read or damaged, whatever is in it, and what is read can be added up', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.double(), fc.string())
    const changes = fc.dictionary(fc.constantFrom(...Object.keys(good.summarized)), anything)
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(good)), changes, (line, change) => {
        const read = parseLedgerEntry(JSON.stringify({ ...line, ...change }))
        const isFinished = 'path' in read && 'status' in read && !/^(unchanged|pruned)$/.test(read.status)
        if (isFinished) addTotals(toTotals(read as DocumentEntry), sums)
      }),
    )
  })

  it('that is damaged still shows its path and its summary’s hash, where those can be made out', () => {
    const text = JSON.stringify(good.summarized)
    expect(parseLedgerEntry(text.slice(0, text.indexOf('"doubts"')))).toMatchObject({
      path: 'a.md',
      summaryHash: '0123456789abcdef',
    })
    expect(parseLedgerEntry(text.slice(0, text.indexOf('cdef')))).not.toHaveProperty('hash.length', 16)
    expect(parseLedgerEntry(text.slice(0, text.indexOf('9abcdef')))).not.toHaveProperty('hash')
  })
})
