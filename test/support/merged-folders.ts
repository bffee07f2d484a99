import { hash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { addTotals, emptyTotals, type Totals, toTotals } from '../../src/core/pricing/totals.ts'
import type { DocumentEntry, LedgerEntry, RunStart } from '../../src/core/run/ledger-entry.ts'
import { readLedgerHistory } from '../../src/storage/ledger/ledger-history.ts'
import { readLedger } from '../../src/storage/ledger/read-ledger.ts'
import { ledgerPath } from '../../src/storage/output-folder.ts'
import { createDocumentEntry, runEnd, runStart, timestampAt } from './ledger-entries.ts'
import { runInProcess } from './run-in-process.ts'

/** The entry of a document with this summary, at a time in milliseconds. */
export function createEntry(
  path: string,
  text: string,
  ms: number,
  fields: Partial<DocumentEntry> = {},
): DocumentEntry {
  const file = { size_bytes: Buffer.byteLength(text), mtime_ms: 1, sha256: hash('sha256', text) }
  return createDocumentEntry(path, {
    ended_at: timestampAt(ms),
    size_bytes: 9,
    sha256: 'd0c',
    request_hash: `k-${path}-${text}`,
    output: { path: `${path}.summary.md`, ...file },
    ...fields,
  })
}

/** A start and an end of a run. */
export function createRun(id: string, ms: number, fields: Partial<RunStart> = {}) {
  const start = { ...runStart, run_id: id, started_at: timestampAt(ms), ...fields }
  return [start, { ...runEnd, run_id: id, ended_at: timestampAt(ms + 500) }] as const
}

/** Writes files, and the ledger of an output folder. */
export async function writeOutputFolder(
  out: string,
  lines: readonly (LedgerEntry | string)[],
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))
  const all = { ...files, '.claude-batch/ledger.jsonl': texts.map((text) => `${text}\n`).join('') }
  for (const [name, text] of Object.entries(all)) {
    await mkdir(dirname(join(out, name)), { recursive: true })
    await writeFile(join(out, name), text)
  }
}

/** Returns the content of all files in a folder, by name. */
export async function readFolder(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const pairs = files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name)
    return [file.slice(folder.length + 1), await readFile(file, 'utf8')] as const
  })
  return Object.fromEntries((await Promise.all(pairs)).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Returns the sums of the ledger of an output folder. */
export async function readTotals(out: string): Promise<Totals> {
  const { runs } = await readLedgerHistory(ledgerPath(out), '..')
  return runs.reduce((sum, { totals }) => addTotals(sum, totals), emptyTotals)
}

/** Returns the sums of entries. */
export function sumEntries(entries: readonly DocumentEntry[]): Totals {
  return entries.reduce((sum, entry) => addTotals(sum, toTotals(entry)), emptyTotals)
}

/** Returns the state of all documents of an output folder, without the times of its files. */
export async function readDocuments(out: string) {
  const { summaries, unfinishedPaths, failures } = await readLedger(ledgerPath(out), '..')
  const withoutTimes = [...summaries].map(([path, { run, output, ...known }]) => {
    const { mtime_ms: _, ...file } = output
    return [path, { ...known, run: run?.run_id, output: file }] as const
  })
  const byPath = (a: readonly [string, unknown], b: readonly [string, unknown]) => (a[0] < b[0] ? -1 : 1)
  return {
    summaries: withoutTimes.sort(byPath),
    unfinished: [...unfinishedPaths.keys()].sort(),
    failures: [...failures.keys()].sort(),
  }
}

/** Runs `claude-batch merge` in a folder. */
export function runMerge(cwd: string, ...args: string[]) {
  return runInProcess(['merge', ...args], { cwd })
}
