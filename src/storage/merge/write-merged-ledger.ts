import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { computeCwdFromOut } from '../../core/document/document-path.ts'
import {
  addTotals,
  areTotalsEqual,
  emptyTotals,
  maxTotals,
  subtractTotals,
  type Totals,
  toTotals,
} from '../../core/pricing/totals.ts'
import {
  type CompactedEntry,
  type DocumentEntry,
  ledgerFormatVersion,
  type OutputFile,
  type RunEnd,
  type UnchangedEntry,
} from '../../core/run/ledger-entry.ts'
import { writeFileAtomic } from '../fs/atomic-write.ts'
import { syncFolder } from '../fs/create-folder.ts'
import { hashFile } from '../fs/file-hash.ts'
import { createTempNonce } from '../fs/unshared-file.ts'
import { type LedgerLine, readLedgerLines } from '../ledger/reduce-ledger.ts'
import { ledgerPath } from '../output-folder.ts'
import type { Ownership } from './choose-owners.ts'
import { type FolderHistory, resolveDocumentPath, type SharedHistory, toLineId } from './folder-history.ts'
import { orderRuns } from './order-runs.ts'

export interface MergedLedgerOptions {
  /** The target first. */
  readonly folders: readonly [FolderHistory, ...FolderHistory[]]
  readonly shared: SharedHistory
  readonly owners: ReadonlyMap<string, Ownership>
  /** The files in the target by the ids of their lines, where they are not as the lines say. */
  readonly outputs: ReadonlyMap<string, OutputFile>
}

/**
 * Replaces the ledger of the target by one with the lines of all folders. Each line that folders have in common is
 * there once. The history of a document is that of its owner; of other results only the totals are kept, with their
 * times. All sums are exact, also of ledgers that were compacted. If nothing is new, the file is not touched.
 * @returns whether the ledger has changed
 * @throws ExitError `ioError`; the ledger is then unchanged
 */
export async function writeMergedLedger(options: MergedLedgerOptions): Promise<boolean> {
  const { out } = options.folders[0]
  const file = ledgerPath(out)
  if ((await hashPieces(generateLedger(options))) === (await hashFile(out, file))) return false
  await writeFileAtomic(out, file, generateLedger(options), createTempNonce('ledger'), 0o600)
  await syncFolder(dirname(file))
  return true
}

async function hashPieces(pieces: AsyncIterable<string>): Promise<string> {
  const digest = createHash('sha256')
  for await (const piece of pieces) digest.update(piece)
  return digest.digest('hex')
}

/** Yields the text of the merged ledger. */
async function* generateLedger(options: MergedLedgerOptions): AsyncGenerator<string> {
  const { folders } = options
  const writtenIds = new Set<string>()
  const finishedRuns = new Set<string>()
  const readers = new Map(folders.map((folder) => [folder, createSegmentReader(ledgerPath(folder.out))]))
  for (const { run, copies } of orderRuns(folders, options.shared.runs)) {
    const segment: Segment = { run, writtenIds, text: '', compacted: [], end: undefined, hasStart: false }
    for (const folder of copies) {
      for await (const lines of readers.get(folder)?.readSegment() ?? []) {
        for (const line of lines) addLine(segment, line, folder, options)
        if (segment.text === '') continue
        yield segment.text
        segment.text = ''
      }
    }
    if (!finishedRuns.has(run)) addRemainder(segment, options)
    finishedRuns.add(run)
    finishSegment(segment, options)
    yield segment.text
  }
}

/** The part of the new ledger that is being written: lines of one run. */
interface Segment {
  readonly run: string
  readonly writtenIds: Set<string>
  /** The text to yield next. */
  text: string
  readonly compacted: CompactedEntry[]
  end: RunEnd | undefined
  hasStart: boolean
}

function addLine(
  segment: Segment,
  line: LedgerLine,
  folder: FolderHistory,
  { shared, owners, outputs, folders }: MergedLedgerOptions,
): void {
  const { run, writtenIds } = segment
  if (line.type === 'run_start') return
  if (line.type === 'compacted' && run !== '') return
  const id = toLineId(run, line)
  if (writtenIds.has(id)) return
  writtenIds.add(id)
  switch (line.type) {
    case 'run_end':
      segment.end = line
      return
    case 'damaged':
      writeLine(segment, line.text, { shared, folders })
      return
    case 'compacted':
      writeLine(segment, JSON.stringify(line), { shared, folders })
      return
    default: {
      const path = resolveDocumentPath(run, line.path, shared)
      const owner = owners.get(path)?.owner ?? folder
      if (owner.lineIds.has(id)) {
        const summaryId = owner.documents.get(path)?.summary?.id
        const isCopied = summaryId !== undefined && outputs.has(summaryId)
        writeLine(segment, JSON.stringify(patchOutput(line, outputs.get(id), isCopied)), { shared, folders })
      } else if (line.type === 'document') segment.compacted.push(toCompacted(line))
    }
  }
}

/** Returns a line with the data of the file in the target. */
function patchOutput(
  line: DocumentEntry | UnchangedEntry | Extract<LedgerLine, { readonly type: 'pruned' }>,
  output: OutputFile | undefined,
  isCopied: boolean,
): LedgerLine {
  if (line.type === 'document') return output === undefined ? line : { ...line, output }
  if (line.type !== 'unchanged' || !isCopied) return line
  // The file is described by the entry of the summary.
  const { output: _, ...rest } = line
  return rest
}

/** The totals of a document whose result does not count. They count in a budget at the same time as before. */
function toCompacted(entry: DocumentEntry): CompactedEntry {
  return {
    type: 'compacted',
    format_version: ledgerFormatVersion,
    at: entry.submitted_at ?? entry.ended_at,
    totals: toTotals(entry),
  }
}

/** Adds the totals of the run that no document entry of any folder has. */
function addRemainder({ run, compacted }: Segment, { folders, shared }: MergedLedgerOptions): void {
  if (run === '') return
  const copies = folders.flatMap(({ runs }) => runs.get(run) ?? [])
  const all = copies.reduce((sum, { totals }) => maxTotals(sum, totals), emptyTotals)
  const remainder = subtractTotals(all, shared.totals.get(run) ?? emptyTotals)
  if (areTotalsEqual(remainder, emptyTotals)) return
  const same = copies.find((copy) => areTotalsEqual(sumCompacted(copy.compacted), remainder))
  const times = copies.flatMap((copy) => copy.compacted.map(({ at }) => at)).sort()
  compacted.push(
    ...(same?.compacted ?? [
      {
        type: 'compacted' as const,
        format_version: ledgerFormatVersion,
        at: times.at(-1) ?? shared.runs.get(run)?.start.started_at ?? '',
        totals: remainder,
      },
    ]),
  )
}

function sumCompacted(entries: readonly CompactedEntry[]): Totals {
  return entries.reduce((sum, { totals }) => addTotals(sum, totals), emptyTotals)
}

function finishSegment(segment: Segment, context: Pick<MergedLedgerOptions, 'shared' | 'folders'>): void {
  // Sorted, so that the order of the folders does not matter.
  for (const line of segment.compacted.map((entry) => JSON.stringify(entry)).sort())
    writeLine(segment, line, context)
  if (segment.end !== undefined) writeLine(segment, JSON.stringify(segment.end), context)
}

/** Writes a line, and the start of its run before the first one. */
function writeLine(
  segment: Segment,
  line: string,
  { shared, folders }: Pick<MergedLedgerOptions, 'shared' | 'folders'>,
): void {
  const known = shared.runs.get(segment.run)
  if (!segment.hasStart && known !== undefined) {
    const start = { ...known.start, cwd: computeCwdFromOut(folders[0].out, known.cwd) }
    segment.text += `${JSON.stringify(start)}\n`
  }
  segment.hasStart = true
  segment.text += `${line}\n`
}

interface SegmentReader {
  /** Yields the lines of the next segment, in groups: its run start, and all lines up to the next one. */
  readSegment(): AsyncGenerator<LedgerLine[]>
}

function createSegmentReader(file: string): SegmentReader {
  const groups = readLedgerLines(file)
  let pending: LedgerLine[] = []
  return {
    async *readSegment() {
      for (let isStart = true; ; ) {
        if (pending.length === 0) {
          const next = await groups.next()
          if (next.done) return
          pending = next.value
          continue
        }
        const end = pending.findIndex(({ type }, n) => type === 'run_start' && (n > 0 || !isStart))
        isStart = false
        const lines = end < 0 ? pending : pending.slice(0, end)
        pending = end < 0 ? [] : pending.slice(end)
        yield lines
        if (end >= 0) return
      }
    },
  }
}
