import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isBelow } from '../../core/document/output-path.ts'
import { isRunLine, isUnwritten } from '../../core/run/check-ledger-entry.ts'
import { ledgerVersion } from '../../core/run/ledger-entry.ts'
import { isObject, isObjectWith, isString, optional } from '../../core/text/check-shape.ts'
import { cannotWrite } from '../fs/disk-error.ts'
import { openToRead } from '../fs/output-files.ts'
import { contentOf, openOwn } from '../fs/own-file.ts'
import { readLines } from '../fs/read-lines.ts'
import type { Entry } from './journal.ts'
import { newerThanWeAre } from './ledger.ts'

/** What an earlier run left in its journal. */
export interface LeftOver {
  readonly entries: readonly Entry[]
  /** Lines that cannot be read. One that was torn by the run's end is none of them: it was not kept yet. */
  readonly damaged: number
}

/** @throws RunError `usage` where a newer version of this program wrote it, or `io` */
export async function readJournal(journal: string): Promise<LeftOver> {
  const entries: Entry[] = []
  let damaged = 0
  const take = (text: string): boolean => {
    const entry = parsed(text)
    const version = versionOf(entry)
    if (version > ledgerVersion) throw newerThanWeAre(journal, version)
    if (!isEntry(entry)) return false
    entries.push(entry)
    return true
  }
  for await (const texts of readLines(journal, undefined, take))
    for (const text of texts) if (text !== '' && !take(text)) damaged++
  return { entries, damaged }
}

/**
 * Adds what is in a state file to `<file>.damaged`, so that the lines which cannot be read can be got out by hand.
 * @throws RunError `io`
 */
export async function keepDamaged(file: string): Promise<void> {
  const root = dirname(dirname(file))
  const aside = `${file}.damaged`
  let from: FileHandle | undefined
  let to: FileHandle | undefined
  try {
    from = await openToRead(root, file)
    if (from === undefined) return
    to = await openOwn(root, aside, 0o600)
    for await (const piece of contentOf(from)) await to.appendFile(piece)
    await to.datasync()
  } catch (error) {
    throw cannotWrite(aside, error as NodeJS.ErrnoException)
  } finally {
    await from?.close().catch(() => {})
    await to?.close().catch(() => {})
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function versionOf(entry: unknown): number {
  const line = isObject(entry) ? entry['line'] : undefined
  const version = isObject(line) ? line['v'] : undefined
  return typeof version === 'number' ? version : 0
}

/** Whether a run can have written this entry; the file is untrusted. */
function isEntry(value: unknown): value is Entry {
  if (!isEntryLike(value)) return false
  const { line, file, text } = value as Entry
  if ((file === undefined) !== (text === undefined)) return false
  return line.v === ledgerVersion && (line.status !== 'summarized' || file !== undefined)
}

const isEntryLike = isObjectWith({
  line: isUnwritten,
  file: optional(isBelow),
  text: optional(isString),
  run: optional(isRunLine),
})
