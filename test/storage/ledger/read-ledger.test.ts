import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { addTotals, emptyTotals, type Totals, toTotals } from '../../../src/core/pricing/totals.ts'
import {
  type DocumentEntry,
  type LedgerEntry,
  ledgerFormatVersion,
} from '../../../src/core/run/ledger-entry.ts'
import { compactLedger } from '../../../src/storage/ledger/compact-ledger.ts'
import { readLedger } from '../../../src/storage/ledger/read-ledger.ts'
import { reduceLedger } from '../../../src/storage/ledger/reduce-ledger.ts'
import { injectFaults } from '../../support/fault-fs.mjs'
import { createFolder } from '../../support/run-cli.ts'

const time = '2026-11-22T03:00:00.000Z'
const runLine = (run: string, base = '..'): LedgerEntry => ({
  type: 'run_start',
  format_version: ledgerFormatVersion,
  started_at: time,
  run_id: run,
  program_version: '1',
  cwd: base,
  prompt: 'summarize@v2',
  model: 'm',
})
const usage = {
  input_tokens: 100,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 7,
}
const documentLine = (path: string, fields: Partial<DocumentEntry> = {}): DocumentEntry => ({
  type: 'document',
  format_version: ledgerFormatVersion,
  ended_at: time,
  path,
  status: 'summarized',
  size_bytes: 10,
  mtime_ms: 1.5,
  sha256: 's',
  request_hash: `key of ${path}`,
  settings_hash: 'r',
  prompt: 'summarize@v2',
  model: 'm',
  usage,
  cost_usd: 0.000123456789,
  elapsed_ms: 1,
  attempts: 1,
  request_id: null,
  output: { path: `${path}.summary.md`, size_bytes: 5, mtime_ms: 2.5, sha256: 'o' },
  ...fields,
})
const text = (...lines: (LedgerEntry | string)[]) =>
  lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')

async function ledgerOf(content: string): Promise<string> {
  return join(await createFolder({ 'ledger.jsonl': content }), 'ledger.jsonl')
}

describe('readLedger', () => {
  it('returns the last good summary of each document, even if it failed later', async () => {
    const { output: _, ...failure } = documentLine('b.md', { status: 'failed', request_hash: 'new' })
    const file = await ledgerOf(
      text(
        runLine('1'),
        documentLine('a.md', { request_hash: 'old' }),
        documentLine('b.md'),
        runLine('2'),
        documentLine('a.md', { request_hash: 'new' }),
        failure,
      ),
    )
    const { summaries, damaged, lineCount: lines, liveLineCount: live } = await readLedger(file, '..')
    expect(summaries.get('a.md')).toMatchObject({ requestHash: 'new', run: { run_id: '2' } })
    expect(summaries.get('b.md')).toMatchObject({ requestHash: 'key of b.md', run: { run_id: '1' } })
    expect([damaged.count, lines, live]).toEqual([0, 6, 5])
  })

  it('returns nothing for a missing ledger', async () => {
    expect((await readLedger('/nowhere/ledger.jsonl', '..')).summaries.size).toBe(0)
  })

  it('updates size and time from an `unchanged` entry, unless its request hash differs', async () => {
    const confirmed = {
      type: 'unchanged',
      format_version: ledgerFormatVersion,
      at: time,
      size_bytes: 11,
      mtime_ms: 9,
      settings_hash: 'r2',
    } as const
    const file = await ledgerOf(
      text(
        documentLine('a.md'),
        documentLine('b.md'),
        { ...confirmed, path: 'a.md', request_hash: 'key of a.md' },
        { ...confirmed, path: 'b.md', request_hash: 'another' },
        { ...confirmed, path: 'c.md', request_hash: 'key of c.md' },
      ),
    )
    const { summaries } = await readLedger(file, '..')
    expect(summaries.get('a.md')).toMatchObject({ size: 11, mtime: 9, settingsHash: 'r2' })
    expect(summaries.get('b.md')).toMatchObject({ size: 10, mtime: 1.5, settingsHash: 'r' })
    expect(summaries.has('c.md')).toBe(false)
  })

  it('skips and counts damaged lines, and returns the documents that they concern', async () => {
    const torn = JSON.stringify(documentLine('torn "1".md')).slice(0, -30)
    const healed = JSON.stringify(documentLine('healed.md')).slice(0, -30)
    const file = await ledgerOf(
      text(
        documentLine('a.md'),
        '\0\0\0garbage',
        healed,
        '[]',
        'null',
        `{"format_version":${ledgerFormatVersion}}`,
        documentLine('healed.md'),
        documentLine('z.md'),
      ) + torn,
    )
    const { summaries, damaged } = await readLedger(file, '..')
    expect([...summaries.keys()]).toEqual(['a.md', 'healed.md', 'z.md'])
    expect(damaged.count).toBe(5)
    expect([...damaged.paths]).toEqual(['torn "1".md'])
  })

  it.each([
    ['a newer', { format_version: ledgerFormatVersion + 1 }],
    ['an older', { format_version: 1 }],
    ['an older', { v: 1 }],
  ])('refuses a ledger with an entry of %s claude-batch: %j', async (age, version) => {
    const { format_version: _, ...entry } = documentLine('b.md')
    const other = JSON.stringify({ ...entry, ...version })
    const file = await ledgerOf(text(documentLine('a.md'), other))
    await expect(readLedger(file, '..')).rejects.toMatchObject({
      exit: 'usage',
      message: expect.stringContaining(`written by ${age} claude-batch`),
    })
  })

  it('reads lines longer than a read buffer', async () => {
    const long = 'x'.repeat(300_000)
    const { summaries } = await readLedger(await ledgerOf(text(documentLine(long), documentLine('é'))), '..')
    expect([...summaries.keys()]).toEqual([long, 'é'])
  })
})

describe('compactLedger', () => {
  const paths = fc.constantFrom('a.md', 'b.md', 'c.md', 'é/d.md')
  const lines = fc.array(
    fc.oneof(
      fc.tuple(fc.nat(9), fc.constantFrom('..', '../elsewhere')).map(([n, base]) => runLine(String(n), base)),
      fc
        .record({
          path: paths,
          key: fc.constantFrom('k1', 'k2'),
          cost: fc.nat(1_000_000_000),
          lost: fc.nat(2),
        })
        .map(({ path, key, cost, lost }) =>
          documentLine(path, { request_hash: key, cost_usd: cost / 1e12, lost_replies: lost }),
        ),
      paths.map((path) => documentLine(path, { status: 'failed', cost_usd: null, usage: null })),
      fc.record({ path: paths, request_hash: fc.constantFrom('k1', 'k2'), size_bytes: fc.nat(99) }).map(
        (it): LedgerEntry => ({
          type: 'unchanged',
          format_version: ledgerFormatVersion,
          at: time,
          settings_hash: 'r2',
          ...it,
        }),
      ),
      paths.map(
        (path): LedgerEntry => ({
          type: 'pruned',
          format_version: ledgerFormatVersion,
          at: time,
          path,
        }),
      ),
      fc.constantFrom('torn', '{"type":"document","path":"c.md","sta'),
    ),
    { maxLength: 40 },
  )
  const sum = async (file: string) => {
    const state: { totals: Totals } = { totals: emptyTotals }
    const add = (totals: Totals) => {
      state.totals = addTotals(state.totals, totals)
    }
    await reduceLedger(file, '..', state, {
      compacted: (_, { totals }) => add(totals),
      document: (_, entry) => add(toTotals(entry)),
    })
    return state.totals
  }

  it('changes neither the summaries nor the totals, and leaves no superseded entry', async () => {
    const folder = await createFolder({})
    let n = 0
    const check = async (lines: (LedgerEntry | string)[]) => {
      const file = join(folder, `${n++}.jsonl`)
      await writeFile(file, text(...lines))
      const [before, sumBefore] = [await readLedger(file, '..'), await sum(file)]
      await compactLedger(file, '..')
      const [after, sumAfter] = [await readLedger(file, '..'), await sum(file)]
      expect(sumAfter).toEqual(sumBefore)
      expect(after.summaries).toEqual(before.summaries)
      expect(after.damaged.paths).toEqual(before.damaged.paths)
      expect(after.unattributedLines).toBe(0)
      const torn = lines.filter((line) => typeof line === 'string').length
      expect(after.lineCount).toBeLessThanOrEqual(2 * after.liveLineCount + torn)
      const once = await readFile(file, 'utf8')
      await compactLedger(file, '..')
      expect(await readFile(file, 'utf8')).toBe(once)
    }
    // Ten at the same time, because each waits for the disk.
    const ledgers = fc.array(lines, { minLength: 10, maxLength: 10 })
    await fc.assert(
      fc.asyncProperty(ledgers, async (ledgers) => {
        await Promise.all(ledgers.map(check))
      }),
      { numRuns: 15 },
    )
  })

  it('keeps the old file if the new one cannot be written', async () => {
    const file = await ledgerOf(text(documentLine('a.md')))
    const before = await readFile(file, 'utf8')
    injectFaults({ do: 'ENOSPC', op: 'write', path: '\\.tmp$' })
    onTestFinished(() => injectFaults({}))
    await expect(compactLedger(file, '..')).rejects.toMatchObject({ exit: 'ioError' })
    expect(await readdir(dirname(file))).toEqual(['ledger.jsonl'])
    expect(await readFile(file, 'utf8')).toBe(before)
    await appendFile(file, text(documentLine('b.md')))
    expect((await readLedger(file, '..')).summaries.size).toBe(2)
  })
})
