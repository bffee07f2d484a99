import { dirname, join } from 'node:path'
import { decimalDollars } from '../core/pricing/price.ts'
import { accountOf, addAccounts } from '../core/pricing/totals.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { type DocumentLine, lineOf, type RunLine } from '../core/run/ledger-entry.ts'
import type { RunFacts } from '../core/run/provenance.ts'
import { type AppendFile, openAppendFile } from './fs/append-file.ts'
import { cannotWrite } from './fs/disk-error.ts'
import { syncFolder } from './fs/output-directories.ts'
import { removeFile } from './fs/output-files.ts'
import { readLedgerLines } from './ledger/ledger.ts'
import { memoryFolder } from './output-folder.ts'

/**
 * What answers about chunks cost, until the ledger has it. The ledger gets one line per document, when the document is
 * done: a run that is killed half-way through a long document leaves paid answers that no line accounts for. The next
 * run writes that line, as the killed run's.
 */
export interface ChunkCosts {
  /** Shows a line of the ledger about a document. What its run paid for the document's chunks is in it. */
  saw(line: Pick<DocumentLine, 'path'>, run: RunLine | undefined): void
  /** The lines that the ledger lacks, going by those shown so far. */
  missing(): readonly MissingLine[]
  /** Forgets the costs of earlier runs, once all of them are in the ledger. @throws RunError `io` */
  forget(): Promise<void>
  /** Keeps what an answer about a chunk of this document cost against any crash. @throws RunError `io` */
  add(path: string, attempts: readonly Attempt[]): Promise<void>
  /**
   * Ends the run whose lines, as far as they were shown, are safe from a loss of power. The next run finds what it paid
   * for documents that have no line. @throws RunError `io`
   */
  end(): Promise<void>
  close(): Promise<void>
}

/** What a killed run paid for the chunks of one document, as its line in the ledger would have told. */
interface MissingLine {
  readonly run: RunLine
  readonly line: DocumentLine
}

/**
 * Reads what earlier runs left. The file is in the ledger's format: the line of a run, then one for each answer about a
 * chunk. For the holder of the folder's lock alone.
 * @param run that will add to it
 * @param factsFor how a document is asked about, by its path
 * @throws RunError `usage` where a newer version of this program wrote it, or `io`
 */
export async function openChunkCosts(
  out: string,
  run: RunLine,
  factsFor: (path: string) => RunFacts,
): Promise<ChunkCosts> {
  const file = join(out, memoryFolder, 'chunk-costs.jsonl')
  const { missing, isEmpty } = await readCosts(file)
  /** Documents of this run that have no line yet. */
  const open = new Set<string>()
  let opening: Promise<AppendFile> | undefined
  const opened = async () => {
    const costs = await openAppendFile(file, { synced: true, mode: 0o600, root: out })
    await costs.append(JSON.stringify(run))
    return costs
  }

  const remove = async () => {
    await removeFile(out, file).catch((error: NodeJS.ErrnoException) => {
      throw cannotWrite(file, error)
    })
    await syncFolder(dirname(file))
  }
  const close = async () => {
    await (await opening?.catch(() => undefined))?.close()
    opening = undefined
  }

  return {
    saw({ path }, by) {
      missing.delete(idOf(by, path))
      if (by?.run === run.run) open.delete(path)
    },
    missing: () => [...missing.values()],
    async forget() {
      missing.clear()
      if (!isEmpty) await remove()
    },
    async add(path, attempts) {
      const last = attempts.at(-1)
      if (last === undefined) return
      const time = new Date(last.at + last.elapsedMs).toISOString()
      const source = { index: 0, path, named: true }
      const elapsedMs = attempts.reduce((sum, it) => sum + it.elapsedMs, 0)
      const paid = { source, attempts, elapsedMs, status: 'pending', reason: '' } as const
      open.add(path)
      opening ??= opened()
      await (await opening).append(JSON.stringify(lineOf(paid, time, factsFor(path))))
    },
    async end() {
      if (opening === undefined) return
      await close()
      if (open.size === 0) await remove()
    },
    close,
  }
}

/** @returns what was paid, by {@link idOf}: one line for all chunks of a document */
async function readCosts(file: string) {
  const missing = new Map<string, MissingLine>()
  let isEmpty = true
  let run: RunLine | undefined
  for await (const together of readLedgerLines(file)) {
    for (const line of together) {
      isEmpty = false
      if ('run' in line) run = line
      if (run === undefined || !('status' in line) || line.status !== 'pending') continue
      const id = idOf(run, line.path)
      const before = missing.get(id)?.line
      missing.set(id, { run, line: before === undefined ? line : added(before, line) })
    }
  }
  return { missing, isEmpty }
}

function idOf(run: RunLine | undefined, path: string): string {
  return `${run?.run} ${path}`
}

function added(a: DocumentLine, b: DocumentLine): DocumentLine {
  const sum = addAccounts(accountOf(a), accountOf(b))
  const isKnown = a.cost_usd !== null || b.cost_usd !== null
  const uncounted = (a.uncounted ?? 0) + (b.uncounted ?? 0)
  const { wait_ms: _, retry_ms: __, latency_ms: ___, ...line } = b
  return {
    ...line,
    usage: a.usage === null && b.usage === null ? null : sum.usage,
    cost_usd: isKnown ? Number(decimalDollars(BigInt(sum.cost_picodollars))) : null,
    ...(uncounted > 0 && { uncounted }),
    elapsed_ms: a.elapsed_ms + b.elapsed_ms,
    attempts: a.attempts + b.attempts,
    ...(sum.lost > 0 && { lost: sum.lost }),
  }
}
