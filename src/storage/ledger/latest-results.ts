import { join } from 'node:path'
import { stripFrontMatter } from '../../core/document/front-matter.ts'
import type { DocumentEntry } from '../../core/run/ledger-entry.ts'
import { readWholeFile } from '../fs/no-follow-fs.ts'
import { ledgerPath } from '../output-folder.ts'
import { type LedgerReducers, reduceLedger } from './reduce-ledger.ts'

/** The last result of a document in an output folder. */
export interface LatestResult {
  readonly entry: DocumentEntry
  /** The summary; undefined if the document has none. */
  readonly text?: string
}

/**
 * Reads the last result of each document in an output folder's ledger, by the document's path.
 * @param cwdFromOut the working directory, relative to the output folder
 * @throws ExitError `usage` or `ioError`
 */
export async function readLatestResults(
  out: string,
  cwdFromOut: string,
): Promise<ReadonlyMap<string, LatestResult>> {
  const latestEntries = await reduceLedger(
    ledgerPath(out),
    cwdFromOut,
    new Map<string, DocumentEntry>(),
    latestEntryReducers,
  )
  const results = new Map<string, LatestResult>()
  for (const [path, entry] of latestEntries) {
    const text =
      entry.output && entry.status === 'summarized' ? await readOutputText(out, entry.output.path) : undefined
    results.set(path, text === undefined ? { entry } : { entry, text: stripFrontMatter(text, entry) })
  }
  return results
}

const latestEntryReducers: LedgerReducers<Map<string, DocumentEntry>> = {
  document(latestEntries, entry, { path }) {
    latestEntries.set(path, entry)
  },
  pruned(latestEntries, _entry, { path }) {
    latestEntries.delete(path)
  },
}

/** Bytes. No summary is as large, but a file with a summary's name may be anything. */
export const maxTextBytes = 64_000_000

/**
 * Reads the text of a file in an output folder; returns undefined if it is missing, unreadable or behind a
 * link.
 */
export async function readOutputText(out: string, file: string): Promise<string | undefined> {
  const content = await readWholeFile(out, join(out, file), maxTextBytes).catch(() => undefined)
  return content?.toString('utf8')
}
