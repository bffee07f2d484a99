import { dirname, join } from 'node:path'
import { stateFolder } from '../core/document/output-path.ts'
import { formatExactUsd } from '../core/pricing/pricing-rules.ts'
import { addTotals, toTotals } from '../core/pricing/totals.ts'
import type { Attempt } from '../core/request/attempt.ts'
import type { DocumentEntry, RunStart } from '../core/run/ledger-entry.ts'
import type { Provenance } from '../core/run/provenance.ts'
import { toLedgerEntry } from '../core/run/to-ledger-entry.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { syncFolder } from './fs/create-folder.ts'
import { toWriteError } from './fs/disk-error.ts'
import { removeFile } from './fs/no-follow-fs.ts'
import { type LedgerReducers, reduceLedger } from './ledger/reduce-ledger.ts'

/**
 * The costs of chunk replies that are not in the ledger yet. The ledger gets one entry per document, when the
 * document is done. So a run that is killed in the middle of a long document leaves paid replies that no
 * entry contains. The next run appends that entry to the ledger, on behalf of the killed run.
 */
export interface ChunkCosts {
  /**
   * Must be called with each document entry of the ledger, which includes its run's costs of the document's
   * chunks.
   */
  observe(entry: Pick<DocumentEntry, 'path'>, run: RunStart | undefined): void
  /** Returns the entries that are missing from the ledger, given the entries observed so far. */
  listMissing(): readonly MissingEntry[]
  /**
   * Deletes the costs of earlier runs; to be called when all are in the ledger.
   * @throws ExitError `ioError`
   */
  clear(): Promise<void>
  /**
   * Saves the cost of a reply about a chunk of this document, so that it survives a crash.
   * @throws ExitError `ioError`
   */
  add(path: string, attempts: readonly Attempt[]): Promise<void>
  /**
   * Ends the run; to be called when the observed entries are synced to disk. Costs of documents without an
   * entry are kept for the next run.
   * @throws ExitError `ioError`
   */
  finish(): Promise<void>
  close(): Promise<void>
}

/** The entry that a killed run would have written to the ledger for the chunks of one document. */
interface MissingEntry {
  readonly run: RunStart
  readonly entry: DocumentEntry
}

/** Returns the path of the chunk costs of an output folder. */
export function chunkCostsPath(out: string): string {
  return join(out, stateFolder, 'chunk-costs.jsonl')
}

/**
 * Opens the chunk costs of an output folder and reads those of earlier runs. The file has the ledger's
 * format: a run start, then an entry for each chunk reply. The caller must hold the folder's lock.
 * @param run the run that will add costs
 * @param findProvenance returns the provenance of a document's summary in this run, by the document's path
 * @throws ExitError `usage` if another version of claude-batch wrote the file; `ioError`
 */
export async function openChunkCosts(
  out: string,
  run: RunStart,
  findProvenance: (path: string) => Provenance,
): Promise<ChunkCosts> {
  const file = chunkCostsPath(out)
  const { missing, isEmpty } = await readCosts(file)
  /** Documents of this run that have no ledger entry yet. */
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
    observe({ path }, entryRun) {
      if (missing.size > 0) missing.delete(toRunAndPath(entryRun, path))
      if (entryRun?.run_id === run.run_id) unrecordedPaths.delete(path)
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

interface SavedCosts {
  /** One entry for all chunks of a document in a run, by {@link toRunAndPath}. */
  readonly missing: Map<string, MissingEntry>
  isEmpty: boolean
}

function readCosts(file: string): Promise<SavedCosts> {
  return reduceLedger<SavedCosts>(file, undefined, { missing: new Map(), isEmpty: true }, costReducers)
}

const costReducers: LedgerReducers<SavedCosts> = {
  run_start(costs) {
    costs.isEmpty = false
  },
  document(costs, entry, { run }) {
    costs.isEmpty = false
    if (run === undefined || entry.status !== 'pending') return
    const id = toRunAndPath(run, entry.path)
    const previous = costs.missing.get(id)?.entry
    costs.missing.set(id, { run, entry: previous === undefined ? entry : sumEntries(previous, entry) })
  },
  damaged(costs) {
    costs.isEmpty = false
  },
}

function toRunAndPath(run: RunStart | undefined, path: string): string {
  return `${run?.run_id} ${path}`
}

function sumEntries(a: DocumentEntry, b: DocumentEntry): DocumentEntry {
  const sum = addTotals(toTotals(a), toTotals(b))
  const isKnown = a.cost_usd !== null || b.cost_usd !== null
  const unknownCosts = (a.replies_with_unknown_cost ?? 0) + (b.replies_with_unknown_cost ?? 0)
  const { wait_ms: _, retry_ms: __, latency_ms: ___, ...entry } = b
  return {
    ...entry,
    usage: a.usage === null && b.usage === null ? null : sum.usage,
    cost_usd: isKnown ? Number(formatExactUsd(BigInt(sum.cost_picodollars))) : null,
    ...(unknownCosts > 0 && { replies_with_unknown_cost: unknownCosts }),
    elapsed_ms: (a.elapsed_ms ?? 0) + (b.elapsed_ms ?? 0),
    attempts: a.attempts + b.attempts,
    ...(sum.lost_replies > 0 && { lost_replies: sum.lost_replies }),
  }
}
