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
 * What answers about chunks cost, until the ledger has it. The ledger gets one line per document, when the
 * document is done: a run that is killed half-way through a long document leaves paid answers that no line
 * accounts for. The next run writes that line, as the killed run's.
 */
export interface ChunkCosts {
  /** Shows a line of the ledger about a document. What its run paid for the document's chunks is in it. */
  observe(line: Pick<DocumentEntry, 'path'>, run: RunStart | undefined): void
  /** The lines that the ledger lacks, going by those shown so far. */
  listMissing(): readonly MissingEntry[]
  /** Forgets the costs of earlier runs, once all of them are in the ledger. @throws ExitError `ioError` */
  clear(): Promise<void>
  /**
   * Keeps what an answer about a chunk of this document cost against any crash.
   * @throws ExitError `ioError`
   */
  add(path: string, attempts: readonly Attempt[]): Promise<void>
  /**
   * Ends the run whose lines, as far as they were shown, are safe from a loss of power. The next run finds
   * what it paid for documents that have no line. @throws ExitError `ioError`
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
 * Reads what earlier runs left. The file is in the ledger's format: the line of a run, then one for each
 * answer about a chunk. For the holder of the folder's lock alone.
 * @param run that will add to it
 * @param findProvenance how a document is asked about, by its path
 * @throws ExitError `usage` where another version of claude-batch wrote it, or `ioError`
 */
export async function openChunkCosts(
  out: string,
  run: RunStart,
  findProvenance: (path: string) => Provenance,
): Promise<ChunkCosts> {
  const file = join(out, stateFolder, 'chunk-costs.jsonl')
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
      if (by?.run_id === run.run_id) unrecordedPaths.delete(path)
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
  /** What was paid, by {@link toRunAndPath}: one entry for all chunks of a document. */
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
