import { basename, dirname, extname, join, resolve } from 'node:path'
import { isOutputOf, recordSuffix, stateFolder } from '../../core/document/output-path.ts'
import type { DocumentLine, Output, RunLine } from '../../core/run/ledger-entry.ts'
import { recordAt, removeRecord } from '../error-records.ts'
import { writeWhole } from '../fs/atomic-write.ts'
import { sha256, sha256Of } from '../fs/file-hash.ts'
import { syncFolder } from '../fs/output-directories.ts'
import { statFile } from '../fs/output-files.ts'
import { isPathAllowed } from '../fs/path-length.ts'
import { ledgerIn } from '../output-folder.ts'
import type { Entry } from './journal.ts'
import { type EachLine, isMade, type Ledger, type Made, madeOf, pathsSeenFrom, summaryOf } from './ledger.ts'

/** What became of the entries that an earlier run left in its journal. */
export interface Recovery {
  /** Documents that are finished now. */
  readonly placed: number
  readonly setAside: readonly SetAside[]
  /** Entries that name a file which their document cannot have. */
  readonly misnamed: number
}

/** Where texts go that have no place, below the output folder. */
export const recoveredFolder = `${stateFolder}/recovered`

/** A text that could not be put in place, as something else is there. Both below the output folder. */
export interface SetAside {
  readonly place: string
  readonly kept: string
}

export interface RecoveryOptions {
  readonly out: string
  /** The working directory, relative to the output folder. */
  readonly here: string
  /** Its summaries are added to. */
  readonly ledger: Pick<Ledger, 'made' | 'run'>
  /** Makes temporary names this process's own. */
  readonly nonce: string
  /** Writes an entry's file. */
  readonly put: (entry: Entry) => Promise<{ readonly output?: Output }>
  /** Records in the ledger. */
  readonly record: (line: RunLine | DocumentLine) => Promise<void>
  /** Called with each document's line, its path relative to the working directory, and the run that paid for it. */
  readonly finished: EachLine
}

/**
 * Finishes what an earlier run had kept in its journal: writes each text to its place and records it as that run's.
 * The journal is untrusted, so a text goes only to a place that its document can have, and only where nothing is, or
 * where the ledger shows that what is there is the document's summary; otherwise it goes to `recovered/` in the state
 * folder, as it was paid for. Times play no part: they come from the journal, too.
 * @throws RunError `io`
 */
export async function recover(entries: Iterable<Entry>, options: RecoveryOptions): Promise<Recovery> {
  const { out, here, ledger, put, record, finished } = options
  const pathOf = pathsSeenFrom(ledgerIn(out), here)
  const cwd = resolve(out, here)
  const setAside: SetAside[] = []
  let [placed, misnamed] = [0, 0]
  let run = ledger.run
  for (const entry of entries) {
    const owner = entry.run ?? run
    const path = pathOf(owner, entry.line.path)
    const { file, text = '' } = entry
    if (file !== undefined && !isOutputOf(file, path, cwd)) {
      misnamed++
      continue
    }
    if (owner !== undefined && owner.run !== run?.run) await record(owner)
    run = owner
    const isFree = file === undefined || (await canBeWritten(out, file, text, path, ledger.made.get(path)))
    if (!isFree) setAside.push({ place: file, kept: await keptAside(entry, options) })
    const line = { ...entry.line, ...(isFree ? await put(entry) : unwritten(entry)) }
    if (isFree) placed++
    if (isMade(line)) await removeRecord(out, line.output.file)
    await record(line)
    finished(line, path, run)
    if (isMade(line)) ledger.made.set(path, madeOf(line, path, cwd, run))
  }
  return { placed, setAside, misnamed }
}

/** @param known what the ledger has of the document of that path */
async function canBeWritten(
  out: string,
  file: string,
  text: string,
  path: string,
  known: Made | undefined,
): Promise<boolean> {
  if (!isPathAllowed(out, file)) return false
  const place = join(out, file)
  if (file.endsWith(recordSuffix)) return (await recordAt(out, place)) !== 'other'
  const stats = statFile(out, place)
  if (stats === undefined) return true
  const hash = stats.isFile() ? await sha256Of(out, place) : undefined
  if (hash === sha256(text)) return true
  return known !== undefined && summaryOf(path, known) === file && known.written.sha256 === hash
}

/** @returns where it is, below the output folder */
async function keptAside({ file = '', text = '' }: Entry, { out, nonce }: RecoveryOptions): Promise<string> {
  const hash = sha256(text).slice(0, 12)
  const named = `${hash}-${basename(file)}`
  const long = `${recoveredFolder}/${named}`
  const kept = isPathAllowed(out, long) ? long : `${recoveredFolder}/${hash}${extname(file)}`
  await writeWhole(out, join(out, kept), text, nonce, 0o600)
  // The journal, which has the text too, is emptied soon.
  await syncFolder(dirname(join(out, kept)))
  return kept
}

/** A summary counts as written and then edited by hand, so that its document is not summarized again. */
function unwritten({ line, file, text = '' }: Entry): { readonly output?: Output } {
  if (file === undefined || line.status !== 'summarized') return {}
  return { output: { file, size: Buffer.byteLength(text), mtime: 0, sha256: sha256(text) } }
}
