import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DocumentEntry, LedgerEntry } from '../../../src/core/run/ledger-entry.ts'
import { compactLedger } from '../../../src/storage/ledger/compact-ledger.ts'
import { readSpending } from '../../../src/storage/ledger/read-spending.ts'
import { ledgerPath } from '../../../src/storage/output-folder.ts'
import { createDocumentEntry, timestampAt } from '../../support/ledger-entries.ts'
import {
  createEntry,
  createRun,
  readDocuments,
  readFolder,
  readTotals,
  runMerge,
  sumEntries,
  writeOutputFolder,
} from '../../support/merged-folders.ts'
import { createFolder } from '../../support/run-cli.ts'

type Event = 'summarized' | 'failed' | 'pending' | 'unchanged' | 'pruned'

const event = fc.constantFrom<Event>('summarized', 'summarized', 'failed', 'pending', 'unchanged', 'pruned')
/** For each document: its shard, and what happens to it in each of three runs, if anything. */
const history = fc.array(
  fc.record({ shard: fc.nat(3), events: fc.tuple(event, fc.option(event), fc.option(event)) }),
  { minLength: 1, maxLength: 8 },
)

interface ShardContent {
  readonly lines: readonly LedgerEntry[]
  readonly files: Readonly<Record<string, string>>
}

/** Returns what a shard has after some of the runs. */
function createShard(
  documents: readonly { readonly shard: number; readonly events: readonly (Event | null)[] }[],
  shard: number,
  runCount: number,
): ShardContent {
  const lines: LedgerEntry[] = []
  const files: Record<string, string> = {}
  const latest = new Map<string, DocumentEntry>()
  for (let run = 0; run < runCount; run++) {
    const startMs = run * 10_000 + shard * 100
    const [start, end] = createRun(`run${run}of${shard}`, startMs)
    const runLines = documents.flatMap(({ shard: home, events }, n): LedgerEntry[] => {
      const [path, happened] = [`docs/${n}.md`, events[run]]
      if (home !== shard || happened === null || happened === undefined) return []
      const [ms, at] = [startMs + 200 + n, timestampAt(startMs + 200 + n)]
      const known = latest.get(path)
      const file = `${path}.summary.md`
      if (happened === 'summarized') {
        const entry = createEntry(path, `Summary ${run} of ${n}.\n`, ms)
        files[file] = `Summary ${run} of ${n}.\n`
        latest.set(path, entry)
        return [entry]
      }
      if (happened === 'failed' || happened === 'pending')
        return [createDocumentEntry(path, { status: happened, ended_at: at, cost_usd: 0.0002 })]
      if (known === undefined) return []
      const base = { format_version: 2, path, at } as const
      if (happened === 'pruned') {
        latest.delete(path)
        delete files[file]
        return [{ type: 'pruned', ...base }]
      }
      const { request_hash = '' } = known
      return [
        { type: 'unchanged', ...base, size_bytes: 9, mtime_ms: run, request_hash, settings_hash: `s${run}` },
      ]
    })
    if (runLines.length > 0) lines.push(start, ...runLines, end)
  }
  return { lines, files }
}

const shards = [0, 1, 2, 3]

describe('merging the shards of any documents', () => {
  it('gives the same summaries and sums in any order, in steps, again, after new runs and after compaction', async () => {
    const order = fc.shuffledSubarray(shards, { minLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        history,
        order,
        order,
        fc.subarray(shards),
        async (documents, one, other, compacted) => {
          const cwd = await createFolder({})
          const write = async (runCount: number) => {
            for (const shard of shards) {
              const { lines, files } = createShard(documents, shard, runCount)
              const out = join(cwd, `part${shard}`)
              await rm(out, { recursive: true, force: true })
              await writeOutputFolder(out, lines, files)
              if (compacted.includes(shard)) await compactLedger(ledgerPath(out), '..')
            }
          }
          const contents = shards.map((shard) => createShard(documents, shard, 3))
          const billed = contents.flatMap(({ lines }) => lines.filter((line) => line.type === 'document'))

          // One merge before the last run, and one after it, in another order.
          await write(2)
          await runMerge(cwd, ...one.map((shard) => `part${shard}`), '-o', 'grown')
          await write(3)
          const inOrder = one.map((shard) => `part${shard}`)
          await runMerge(cwd, ...inOrder, '-o', 'grown')
          // In steps: merged folders are merged.
          await runMerge(cwd, ...other.slice(0, 2).map((shard) => `part${shard}`), '-o', 'half')
          await runMerge(cwd, 'half', ...other.map((shard) => `part${shard}`), 'half', '-o', 'all')
          await runMerge(cwd, ...inOrder, '-o', 'direct')

          const expected = await readDocuments(join(cwd, 'direct'))
          const texts = Object.assign({}, ...contents.map(({ files }) => files))
          for (const out of ['grown', 'all', 'direct']) {
            expect(await readTotals(join(cwd, out)), out).toEqual(sumEntries(billed))
            const before = await readFolder(join(cwd, out))
            expect(before).toMatchObject(texts)
            expect((await runMerge(cwd, ...inOrder, '-o', out)).stderr).toContain('already has everything')
            expect(await readFolder(join(cwd, out))).toEqual(before)
          }
          expect(await readDocuments(join(cwd, 'all'))).toEqual(expected)
          // What `--max-cost-per` counts, for a window that begins at any time.
          for (let ms = 0; ms < 30_000; ms += 1000) {
            const since = Date.parse(timestampAt(ms))
            const spent = shards.map((shard) =>
              readSpending(ledgerPath(join(cwd, `part${shard}`)), since, false),
            )
            const sum = (await Promise.all(spent)).reduce((a, b) => a + b, 0n)
            expect(await readSpending(ledgerPath(join(cwd, 'direct')), since, false)).toBe(sum)
          }
          const states = await Promise.all(shards.map((shard) => readDocuments(join(cwd, `part${shard}`))))
          expect(expected.summaries.map(([path]) => path)).toEqual(
            states.flatMap(({ summaries }) => summaries.map(([path]) => path)).sort(),
          )
          expect(expected.unfinished).toEqual(states.flatMap(({ unfinished }) => unfinished).sort())
        },
      ),
      { numRuns: 25 },
    )
  })
})
