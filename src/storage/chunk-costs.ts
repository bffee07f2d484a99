import { dirname, join } from 'node:path'
import { formatExactUsd } from '../core/pricing/pricing-rules.ts'
import { addTotals, toTotals } from '../core/pricing/totals.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { type DocumentEntry, type RunStart, toLedgerEntry } from '../core/run/ledger-entry.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { syncFolder } from './fs/create-folder.ts'
import { toWriteError } from './fs/disk-error.ts'
import { removeFile } from './fs/no-follow-fs.ts'
import { readLedgerEntries } from './ledger/read-ledger.ts'
import { memoryFolder } from './output-folder.ts'

/**
 * What answers about chunks cost, until the ledger has it. The ledger gets one line per document, when the document is
 * done: a run that is killed half-way through a long document leaves paid answers that no line accounts for. The next
 * run writes that line, as the killed run's.
 */
export interface ChunkCosts {
  /** Shows a line of the ledger about a document. What its run paid for the document's chunks is in it. */
  observe(line: Pick<DocumentEntry, 'path'>, run: RunStart | undefined): void
  /** The lines that the ledger lacks, going by those shown so far. */
  listMissing(): readonly MissingEntry[]
  /** Forgets the costs of earlier runs, once all of them are in the ledger. @throws RunError `ioError` */
  clear(): Promise<void>
  /** Keeps what an answer about a chunk of this document cost against any crash. @throws RunError `ioError` */
  add(path: string, attempts: readonly Attempt[]): Promise<void>
  /**
   * Ends the run whose lines, as far as they were shown, are safe from a loss of power. The next run finds what it paid
   * for documents that have no line. @throws RunError `ioError`
   */
  finish(): Promise<void>
  close(): Promise<void>
}

/** What a killed run paid for the chunks of one document, as its line in the ledger would have told. */
interface MissingEntry {
  readonly run: RunStart
  readonly entry: DocumentEntry
}

/**
 * Reads what earlier runs left. The file is in the ledger's format: the line of a run, then one for each answer about a
 * chunk. For the holder of the folder's lock alone.
 * @param run that will add to it
 * @param findProvenance how a document is asked about, by its path
 * @throws RunError `usage` where a newer version of this program wrote it, or `ioError`
 */
export async function openChunkCosts(
  out: string,
  run: RunStart,
  findProvenance: (path: string) => Provenance,
): Promise<ChunkCosts> {
  const file = join(out, memoryFolder, 'chunk-costs.jsonl')
  const { missing, isEmpty } = await readCosts(file)
  /** Documents of this run that have no line yet. */
  const unrecordedPaths = new Set<string>()
  let fileOpening: Promise<AppendFile> | undefined
  const openFile = async () => {
    const costs = await openAppendFile(file, { durable: true, mode: 0o600, root: out })
    await costs.append(JSON.stringify(run))
    return costs
  }

  const removeCostsFile = async () => {
    await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
      throw toWriteError(file, error)
    })
    await syncFolder(dirname(file))
  }
  const closeFile = async () => {
    await (await fileOpening?.catch(() => undefined))?.close()
    fileOpening = undefined
  }

  return {
    observe({ path }, by) {
      missing.delete(toRunAndPath(by, path))
      if (by?.run === run.run) unrecordedPaths.delete(path)
    },
    listMissing: () => [...missing.values()],
    async clear() {
      missing.clear()
      if (!isEmpty) await removeCostsFile()
    },
    async add(path, attempts) {
      const last = attempts.at(-1)
      if (last === undefined) return
      const time = new Date(last.startedAt + last.elapsedMs).toISOString()
      const source = { index: 0, path, namedByUser: true }
      const elapsedMs = attempts.reduce((sum, attempt) => sum + attempt.elapsedMs, 0)
      const outcome = { document: source, attempts, elapsedMs, status: 'pending', reason: '' } as const
      unrecordedPaths.add(path)
      fileOpening ??= openFile()
      await (await fileOpening).append(JSON.stringify(toLedgerEntry(outcome, time, findProvenance(path))))
    },
    async finish() {
      if (fileOpening === undefined) return
      await closeFile()
      if (unrecordedPaths.size === 0) await removeCostsFile()
    },
    close: closeFile,
  }
}

/** @returns what was paid, by {@link toRunAndPath}: one line for all chunks of a document */
async function readCosts(file: string) {
  const missing = new Map<string, MissingEntry>()
  let isEmpty = true
  let run: RunStart | undefined
  for await (const entries of readLedgerEntries(file)) {
    for (const entry of entries) {
      isEmpty = false
      if ('run' in entry) run = entry
      if (run === undefined || !('status' in entry) || entry.status !== 'pending') continue
      const id = toRunAndPath(run, entry.path)
      const previous = missing.get(id)?.entry
      missing.set(id, { run, entry: previous === undefined ? entry : sumEntries(previous, entry) })
    }
  }
  return { missing, isEmpty }
}

function toRunAndPath(run: RunStart | undefined, path: string): string {
  return `${run?.run} ${path}`
}

function sumEntries(a: DocumentEntry, b: DocumentEntry): DocumentEntry {
  const sum = addTotals(toTotals(a), toTotals(b))
  const isKnown = a.cost_usd !== null || b.cost_usd !== null
  const uncounted = (a.uncounted ?? 0) + (b.uncounted ?? 0)
  const { wait_ms: _, retry_ms: __, latency_ms: ___, ...line } = b
  return {
    ...line,
    usage: a.usage === null && b.usage === null ? null : sum.usage,
    cost_usd: isKnown ? Number(formatExactUsd(BigInt(sum.cost_picodollars))) : null,
    ...(uncounted > 0 && { uncounted }),
    elapsed_ms: a.elapsed_ms + b.elapsed_ms,
    attempts: a.attempts + b.attempts,
    ...(sum.lost > 0 && { lost: sum.lost }),
  }
}
