import { dirname, join } from 'node:path'
import { recordSuffix } from '../core/document/output-path.ts'
import { type Experience, learn } from '../core/estimate/estimate.ts'
import type { DocumentLine, EndLine, Output, RunLine, UnchangedLine } from '../core/run/ledger-entry.ts'
import { RunError } from '../errors.ts'
import type { ChunkCosts } from './chunk-costs.ts'
import { recordAt, removeRecord } from './error-records.ts'
import { openAppendFile } from './fs/append-file.ts'
import { isTemporary, writeWhole } from './fs/atomic-write.ts'
import { sha256 } from './fs/file-hash.ts'
import { syncFolder } from './fs/output-directories.ts'
import { listFolder, removeFile } from './fs/output-files.ts'
import { compact } from './ledger/compact.ts'
import { type Entry, KeptError, openJournal } from './ledger/journal.ts'
import { recover, recoveredFolder, type SetAside } from './ledger/journal-recovery.ts'
import { type EachLine, isMade, type Ledger, readLedger, summaryOf } from './ledger/ledger.ts'
import { keepDamaged, readJournal } from './ledger/pending-entries.ts'
import { ledgerIn, memoryFolder } from './output-folder.ts'

/** What an output folder remembers, and how something new gets into it. For the holder of its lock alone. */
export interface Memory extends Pick<Ledger, 'made' | 'failing' | 'damaged'> {
  readonly experience: Experience
  /** How the last run ended that did anything, and came to its end. */
  readonly lastEnd: EndLine | undefined
  /** Documents that an earlier run had paid for and could not finish; now they are. */
  readonly recovered: number
  /** Texts of such documents whose place is taken: reported, as a person has to choose. */
  readonly setAside: readonly SetAside[]
  /** How many lines of the journal could not be read; it is kept beside the new one. */
  readonly damagedJournal: number
  /**
   * Keeps what a finished document leaves, from now on against any crash. Resolves with what then puts it in place and
   * records it.
   * @throws KeptError where the next run will finish it; RunError `io` where it is lost, and the ledger tells at least
   * what it cost, if that can be written; both
   */
  keep(entry: Entry): Promise<() => Promise<void>>
  /** Records that a document is, or is again, the one that was summarized. @throws RunError `io` */
  confirm(line: UnchangedLine): Promise<void>
  /** Records how the run ended, if it did anything. @throws RunError `io` */
  end(line: EndLine): Promise<void>
  close(): Promise<void>
}

export interface MemoryOptions {
  /** Is called with all lines about documents, their paths relative to the working directory, and the runs that wrote them. */
  readonly each?: EachLine
  /** What killed runs paid for chunks; to be shown all lines, too. */
  readonly chunkCosts?: Pick<ChunkCosts, 'saw' | 'missing' | 'forget' | 'end'>
}

/** @throws RunError `usage` where the ledger or the journal is a newer version's, or `io` */
export async function openMemory(
  out: string,
  run: RunLine,
  { each = () => {}, chunkCosts = noChunkCosts }: MemoryOptions = {},
): Promise<Memory> {
  const file = ledgerIn(out)
  const journalFile = join(out, memoryFolder, 'journal.jsonl')
  const leftOver = await readJournal(journalFile)
  const unfinished = new Map(leftOver.entries.map((entry) => [idOf(entry.line), entry]))
  const inFlight = [...unfinished.values()]
  const experience: Experience = new Map()
  const ledger = await readLedger(file, run.base, (line, path, by) => {
    unfinished.delete(idOf(line))
    learn(experience, line)
    each(line, path, by)
  })
  // What the journal and the chunk costs still hold is told from what is finished by the ledger's lines, superseded ones
  // too.
  const isComplete = inFlight.length === 0 && chunkCosts.missing().length === 0
  if (isComplete && (isOvergrown(ledger) || ledger.illegible > 0)) {
    await chunkCosts.forget()
    await compact(file, run.base, ledger.illegible > 0)
  }

  const lines = await openAppendFile(file, { mode: 0o600, root: out })
  const touched = new Set<string>([join(out, memoryFolder)])
  let writes = 0
  let begun: Promise<void> | undefined
  let hasBegun = false

  const put = async ({ file, text = '' }: Entry): Promise<{ output?: Output }> => {
    if (file === undefined) return {}
    const path = join(out, file)
    // The user's own file of that name: the ledger alone tells of the failure then.
    if (file.endsWith(recordSuffix) && (await recordAt(out, path)) === 'other') return {}
    touched.add(dirname(path))
    const { size, mtimeMs } = await writeWhole(out, path, text, `${run.run}-${writes++}`)
    return { output: { file, size, mtime: mtimeMs, sha256: sha256(text) } }
  }
  const record = (line: DocumentLine | UnchangedLine) => lines.append(JSON.stringify(line))
  const begin = () =>
    (begun ??= lines.append(JSON.stringify(run)).then(() => {
      hasBegun = true
    }))
  /** Records a document that this run is finished with. */
  const book = async (line: DocumentLine) => {
    await begin()
    await record(line)
    chunkCosts.saw(line, run)
  }

  /** What could not be put in place: that it was paid for is told all the same. */
  const notInPlace = async ({ line }: Entry, error: unknown): Promise<never> => {
    if (!(error instanceof RunError) || error instanceof KeptError) throw error
    // Entries are written several at once: of those that failed together, some may be there whole.
    const there = await readJournal(journalFile).catch(() => undefined)
    if (there?.entries.some((entry) => idOf(entry.line) === idOf(line))) throw new KeptError(error)
    const status = line.status === 'summarized' ? 'pending' : line.status
    await book({ ...line, status }).catch(() => {})
    throw error
  }

  const finishLeftOver = async () => {
    /** Whose lines follow in the ledger. What is recovered was paid for by an earlier run, and is recorded as that run's. */
    let owner = ledger.run
    const recordFor = async (line: RunLine | DocumentLine) => {
      if ('run' in line) owner = line
      await lines.append(JSON.stringify(line))
    }
    const recovery = await recover(unfinished.values(), {
      out,
      here: run.base,
      ledger,
      nonce: `${run.run}-recovered`,
      put,
      record: recordFor,
      finished: each,
    })
    const missing = chunkCosts.missing()
    for (const { run, line } of missing) {
      if (run.run !== owner?.run) await recordFor(run)
      await recordFor(line)
    }
    // If this run is killed before it forgets the costs, the next one finds them in the ledger.
    if (missing.length > 0 || inFlight.length > 0) await lines.sync()
    await chunkCosts.forget()
    const files = inFlight.flatMap(({ file }) => file ?? [])
    const folders = [memoryFolder, recoveredFolder, ...files.map((file) => dirname(file))]
    await sweep(out, new Set([out, ...folders.map((folder) => join(out, folder))]))
    const damaged = leftOver.damaged + recovery.misnamed
    if (damaged > 0) await keepDamaged(journalFile)
    const journal = await openJournal(journalFile, async () => {
      for (const folder of touched) await syncFolder(folder)
      touched.clear()
      await lines.sync()
    })
    return { ...recovery, damaged, journal }
  }
  const { journal, placed, setAside, damaged } = await finishLeftOver().catch(async (error: unknown) => {
    await lines.close().catch(() => {})
    throw error
  })
  return {
    made: ledger.made,
    failing: ledger.failing,
    damaged: ledger.damaged,
    experience,
    lastEnd: ledger.end,
    recovered: placed,
    setAside,
    damagedJournal: damaged,
    async keep(entry) {
      try {
        // Whoever has to finish the entry takes it for the last run's that the ledger knows.
        const kept = await journal.keep(hasBegun ? entry : { ...entry, run })
        return () =>
          kept(async () => {
            const line = { ...entry.line, ...(await put(entry)) }
            if (isMade(line)) await removeRecord(out, line.output.file)
            await book(line)
          }).catch((error: unknown) => notInPlace(entry, error))
      } catch (error) {
        return notInPlace(entry, error)
      }
    },
    async confirm(line) {
      const known = ledger.made.get(line.path)
      if (known !== undefined && !known.misnamed) await removeRecord(out, summaryOf(line.path, known))
      await begin()
      await record(line)
    },
    async end(line) {
      if (hasBegun) await lines.append(JSON.stringify(line))
    },
    async close() {
      try {
        await journal.close()
        await chunkCosts.end()
      } finally {
        await lines.close()
      }
    },
  }
}

const noChunkCosts: NonNullable<MemoryOptions['chunkCosts']> = {
  saw() {},
  missing: () => [],
  async forget() {},
  async end() {},
}

function idOf({ path, time }: DocumentLine): string {
  return `${time} ${path}`
}

/** Rewriting costs about as much as reading: worth it when most of what is read says nothing any more. */
function isOvergrown({ lines, live }: Ledger): boolean {
  return lines - live > live && lines - live > 1000
}

/** Files that a run was writing when it was killed; whoever holds the lock knows that nobody writes them any more. */
async function sweep(out: string, folders: ReadonlySet<string>): Promise<void> {
  for (const folder of folders) {
    const names = await listFolder(out, folder).catch(() => [])
    for (const name of names.filter(isTemporary)) await removeFile(out, join(folder, name)).catch(() => {})
  }
}
