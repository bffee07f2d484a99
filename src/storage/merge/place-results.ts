import { dirname, join } from 'node:path'
import {
  createCaseNormalizer,
  errorRecordSuffix,
  formatConflictName,
  makeUniqueStem,
  stateFolder,
  stripSummarySuffix,
  summarySuffix,
} from '../../core/document/output-path.ts'
import type { OutputFile } from '../../core/run/ledger-entry.ts'
import { inspectErrorRecord, removeErrorRecord } from '../error-record-file.ts'
import { writeFileAtomic } from '../fs/atomic-write.ts'
import { syncFolders } from '../fs/create-folder.ts'
import { toReadError } from '../fs/disk-error.ts'
import { hashBytes, hashFile } from '../fs/file-hash.ts'
import { readWholeFile, statFile } from '../fs/no-follow-fs.ts'
import { isPathAllowed } from '../fs/path-length.ts'
import { locateSummary } from '../ledger/known-summary.ts'
import { maxTextBytes } from '../ledger/latest-results.ts'
import { removeTempFiles } from '../recover-leftovers.ts'
import type { Ownership } from './choose-owners.ts'
import type { DocumentState, FolderHistory } from './folder-history.ts'

/** The files that a merge has put in place. */
export interface PlacedResults {
  /** The files by the ids of their ledger lines, where these files are not as the lines say. */
  readonly outputs: ReadonlyMap<string, OutputFile>
  /** How many files were written. */
  readonly writtenCount: number
  /** Texts that are not in place, because another text of the same document is. */
  readonly conflicts: readonly Conflict[]
  /** Why a file of a folder could not be copied. */
  readonly problems: readonly string[]
}

/** A text that was kept next to the one that counts. */
interface Conflict {
  /** The document. */
  readonly path: string
  /** The folder that had the text. */
  readonly folder: string
  /** Where the text is now, relative to the target. */
  readonly file: string
}

export interface PlaceOptions {
  /** The target first. The caller must hold its lock. */
  readonly folders: readonly [FolderHistory, ...FolderHistory[]]
  readonly owners: ReadonlyMap<string, Ownership>
  /** Whether the file system of the target ignores case in names. */
  readonly foldsCase: boolean
  /** Twelve hexadecimal digits, which make the names of temporary files unique to this process. */
  readonly nonce: string
  readonly signal: AbortSignal
  /** Called when the files of a document are in place, with the number of such documents. */
  readonly onPlaced: (done: number, total: number) => void
}

/** How many documents are copied at the same time. Most of the time is spent waiting for the disk. */
const concurrency = 16

/**
 * Copies the results that count to the target, each file atomically. Then the ledger may record them. Never replaces a
 * file that was edited by hand, or that no run wrote.
 * @throws ExitError `ioError`; the reason of the signal
 */
export async function placeResults(options: PlaceOptions): Promise<PlacedResults> {
  const { folders, signal, onPlaced, nonce } = options
  const [target] = folders
  const cleanedFolders = new Map<string, Promise<void>>()
  let writes = 0
  const state: PlaceState = {
    ...options,
    target,
    outputs: new Map(),
    conflicts: [],
    problems: [],
    async write(file, content) {
      const path = join(target.out, file)
      const folder = dirname(path)
      const cleaning = cleanedFolders.get(folder) ?? removeTempFiles(target.out, [folder])
      cleanedFolders.set(folder, cleaning)
      await cleaning
      const { size, mtimeMs } = await writeFileAtomic(target.out, path, [content], `${nonce}-${writes++}`)
      return { size_bytes: size, mtime_ms: mtimeMs }
    },
  }
  const tasks = listTasks(options)
  const pendingTasks = tasks.values()
  let placedCount = 0
  let hasFailed = false
  const work = async () => {
    try {
      for (const task of pendingTasks) {
        signal.throwIfAborted()
        if (hasFailed) return
        await placeDocument(task, state)
        onPlaced(++placedCount, tasks.length)
      }
    } catch (error) {
      hasFailed = true
      throw error
    }
  }
  await removeTempFiles(target.out, [target.out, join(target.out, stateFolder)])
  const results = await Promise.allSettled(Array.from({ length: concurrency }, work))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  await syncFolders(target.out, cleanedFolders.keys())
  const { outputs, conflicts, problems } = state
  return { outputs, writtenCount: writes, conflicts: conflicts.sort(byFile), problems: problems.sort() }
}

function byFile(a: Conflict, b: Conflict): number {
  return a.file < b.file ? -1 : 1
}

interface PlaceState extends Omit<PlaceOptions, 'onPlaced'> {
  readonly target: FolderHistory
  readonly outputs: Map<string, OutputFile>
  readonly conflicts: Conflict[]
  readonly problems: string[]
  /** Writes a file of the target. @returns its data for the ledger */
  write(file: string, content: Buffer): Promise<Pick<OutputFile, 'size_bytes' | 'mtime_ms'>>
}

/** A document, and where its files go. */
interface PlaceTask {
  readonly path: string
  readonly ownership: Ownership
  /** The path of the document's files in the target, without their suffixes. */
  readonly stem: string
}

/** Returns the documents with their places. A document keeps its place in the target; no other document gets it. */
function listTasks({ folders, owners, foldsCase }: PlaceOptions): PlaceTask[] {
  const normalizeCase = createCaseNormalizer(foldsCase)
  const takenStems = new Map<string, string>()
  const tasks: PlaceTask[] = []
  const seen = new Set<string>()
  for (const folder of folders)
    for (const [path, state] of folder.documents) {
      if (seen.has(path)) continue
      seen.add(path)
      const ownership = owners.get(path) ?? { owner: folder, losers: [] }
      const source = ownership.owner.documents.get(path)
      const wanted = findStem(path, folder === folders[0] ? state : undefined) ?? findStem(path, source)
      if (wanted === undefined) continue
      const stem = makeUniqueStem(wanted, path, (name) => takenStems.has(normalizeCase(name)))
      takenStems.set(normalizeCase(stem), path)
      const isOnlyInTarget = folder === folders[0] && !owners.has(path)
      if (!isOnlyInTarget) tasks.push({ path, ownership, stem })
    }
  return tasks
}

/** Returns the path of a document's files without their suffixes; undefined if it has none that it can have. */
function findStem(path: string, state: DocumentState | undefined): string | undefined {
  const file = findSummaryFile(path, state)
  if (file !== undefined) return stripSummarySuffix(file)
  return state?.failure?.record?.path.slice(0, -errorRecordSuffix.length)
}

function findSummaryFile(path: string, state: DocumentState | undefined): string | undefined {
  const known = state?.summary?.known
  return known === undefined || known.isMisnamed ? undefined : locateSummary(path, known)
}

async function placeDocument(task: PlaceTask, state: PlaceState): Promise<void> {
  const { path, ownership, stem } = task
  const { owner } = ownership
  const file = findSummaryFile(path, owner.documents.get(path)) ?? summarySuffix
  if (!isPathAllowed(state.target.out, getPlace(stem, file))) {
    state.problems.push(`${path}: the name of its summary is longer than the file system allows`)
    return
  }
  await placeSummary(task, state)
  await keepOtherTexts(task, state)
  if (owner === state.target) return
  const { failure } = owner.documents.get(path) ?? {}
  if (failure?.record !== undefined) await placeErrorRecord(task, failure.id, failure.record, state)
  else if (failure === undefined) await removeErrorRecord(state.target.out, `${stem}${summarySuffix}`)
}

/** Copies the summary that counts, unless its text is in place, or a text of the user is. */
async function placeSummary({ path, ownership, stem }: PlaceTask, state: PlaceState): Promise<void> {
  const { target } = state
  const { owner, losers } = ownership
  const summary = owner.documents.get(path)?.summary
  const file = findSummaryFile(path, owner.documents.get(path))
  if (summary === undefined || file === undefined) return
  const place = getPlace(stem, file)
  if (owner === target && statFile(target.out, join(target.out, place)) !== undefined) return
  const found = await hashPlace(target.out, place)
  const source = await findSource(path, summary.id, ownership, state)
  if (source === undefined) return
  const { known } = summary
  const { size_bytes, mtime_ms, sha256, front_matter } = known.output
  const setOutput = (fields: Pick<OutputFile, 'size_bytes' | 'mtime_ms'>) =>
    state.outputs.set(summary.id, {
      path: place,
      ...fields,
      sha256,
      ...(front_matter && { front_matter }),
    })
  const targetKnown = target.documents.get(path)?.summary?.known
  if (found === undefined || (found !== source.hash && found === targetKnown?.output.sha256)) {
    const isLost = found !== undefined && losers.includes(target)
    if (isLost) await keepText({ path, stem, folder: target, file: place }, state)
    const written = await state.write(place, source.content)
    // A text that was edited by hand is no copy of what the ledger recorded.
    setOutput(source.hash === sha256 ? written : { size_bytes, mtime_ms })
  } else if (found === source.hash && found === sha256) {
    const stats = statFile(target.out, join(target.out, place))
    setOutput({ size_bytes: stats?.size ?? size_bytes, mtime_ms: stats?.mtimeMs ?? mtime_ms })
  } else {
    setOutput({ size_bytes, mtime_ms })
    if (found !== source.hash) await keepContent({ path, stem, ...source }, state)
  }
}

/** Keeps the texts of other folders that are other results, or that were edited by hand. */
async function keepOtherTexts({ path, ownership, stem }: PlaceTask, state: PlaceState): Promise<void> {
  const { owner, losers } = ownership
  for (const folder of state.folders) {
    const other = folder.documents.get(path)
    const file = findSummaryFile(path, other)
    if (folder === owner || folder === state.target || file === undefined) continue
    await keepText({ path, stem, folder, file, isKeptUnmodified: losers.includes(folder) }, state)
  }
}

interface KeptFile {
  readonly path: string
  readonly stem: string
  readonly folder: FolderHistory
  /** The file with the text, relative to that folder. */
  readonly file: string
  /** Whether to keep a text that was not edited by hand, too; true by default. */
  readonly isKeptUnmodified?: boolean
}

async function keepText(kept: KeptFile, state: PlaceState): Promise<void> {
  const { path, folder, file, isKeptUnmodified = true } = kept
  const known = folder.documents.get(path)?.summary?.known
  const source = await readSource(folder, file, state)
  if (source === undefined || (!isKeptUnmodified && source.hash === known?.output.sha256)) return
  await keepContent({ ...kept, ...source }, state)
}

/** Keeps a text next to the summary that counts, unless the same text is there already. */
async function keepContent(
  { path, stem, folder, file, content, hash }: Omit<KeptFile, 'isKeptUnmodified'> & SourceText,
  state: PlaceState,
): Promise<void> {
  const { out } = state.target
  const place = getPlace(stem, file)
  // The target's own text is about to be replaced.
  if (folder !== state.target && (await hashPlace(out, place)) === hash) return
  for (let n = 1; ; n++) {
    const name = formatConflictName(place, n)
    if (!isPathAllowed(out, name)) {
      state.problems.push(
        `${path}: the name for the summary of ${folder.name} is too long; it was not copied`,
      )
      return
    }
    const found = await hashPlace(out, name)
    if (found === hash) return
    if (found !== undefined) continue
    await state.write(name, content)
    state.conflicts.push({ path, folder: folder.name, file: name })
    return
  }
}

async function placeErrorRecord(
  { stem, ownership: { owner } }: PlaceTask,
  lineId: string,
  record: OutputFile,
  state: PlaceState,
): Promise<void> {
  const { target, outputs } = state
  const place = `${stem}${errorRecordSuffix}`
  if ((await inspectErrorRecord(target.out, join(target.out, place))) === 'other') return
  if ((await inspectErrorRecord(owner.out, join(owner.out, record.path))) !== 'record') return
  const source = await readSource(owner, record.path, state)
  if (source === undefined) return
  const stats = statFile(target.out, join(target.out, place))
  const isPlaced = (await hashPlace(target.out, place)) === source.hash
  const written =
    stats !== undefined && isPlaced
      ? { size_bytes: stats.size, mtime_ms: stats.mtimeMs }
      : await state.write(place, source.content)
  outputs.set(lineId, { ...record, path: place, ...written })
}

interface SourceText {
  readonly folder: FolderHistory
  readonly file: string
  readonly content: Buffer
  readonly hash: string
}

/** Returns the text of the summary with this line id, from its owner or another folder that still has the file. */
async function findSource(
  path: string,
  lineId: string,
  { owner }: Ownership,
  state: PlaceState,
): Promise<SourceText | undefined> {
  for (const folder of [owner, ...state.folders]) {
    const other = folder.documents.get(path)
    const file = findSummaryFile(path, other)
    if (folder === state.target || file === undefined || other?.summary?.id !== lineId) continue
    const source = await readSource(folder, file, state)
    if (source !== undefined) return source
  }
  return undefined
}

/** Reads a file of a folder; returns undefined if it is missing, or reports why it cannot be read. */
async function readSource(
  folder: FolderHistory,
  file: string,
  { problems }: Pick<PlaceState, 'problems'>,
): Promise<SourceText | undefined> {
  const name = join(folder.out, file)
  try {
    const content = await readWholeFile(folder.out, name, maxTextBytes)
    return content && { folder, file, content, hash: hashBytes(content) }
  } catch (error) {
    const problem = toReadError(name, error as NodeJS.ErrnoException)
    problems.push(problem.message)
    return undefined
  }
}

/** Returns the place of a summary in the target: JSON stays JSON. */
function getPlace(stem: string, file: string): string {
  return `${stem}${file.slice((stripSummarySuffix(file) ?? file).length)}`
}

/** The hash of something that is no file, which no text has. */
const noFile = 'no regular file'

/** Returns the hash of a file; undefined if it does not exist. */
async function hashPlace(out: string, file: string): Promise<string | undefined> {
  const path = join(out, file)
  const stats = statFile(out, path)
  if (stats === undefined) return undefined
  return stats.isFile() ? hashFile(out, path) : noFile
}
