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
  /** The earlier result whose summary a failure left in place. */
  readonly kept?: { readonly entry: DocumentEntry; readonly text: string }
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
  const entries = await reduceLedger(
    ledgerPath(out),
    cwdFromOut,
    { latest: new Map<string, DocumentEntry>(), summarized: new Map<string, DocumentEntry>() },
    latestEntryReducers,
  )
  const results = new Map<string, LatestResult>()
  for (const [path, entry] of entries.latest) {
    const summarized = entries.summarized.get(path)
    const text = summarized && (await readSummary(out, summarized))
    if (summarized === undefined || text === undefined) results.set(path, { entry })
    else
      results.set(path, summarized === entry ? { entry, text } : { entry, kept: { entry: summarized, text } })
  }
  return results
}

async function readSummary(out: string, entry: DocumentEntry): Promise<string | undefined> {
  if (entry.output === undefined) return undefined
  const text = await readOutputText(out, entry.output.path)
  return text && stripFrontMatter(text, entry)
}

interface LatestEntries {
  readonly latest: Map<string, DocumentEntry>
  readonly summarized: Map<string, DocumentEntry>
}

const latestEntryReducers: LedgerReducers<LatestEntries> = {
  document({ latest, summarized }, entry, { path }) {
    latest.set(path, entry)
    if (entry.status === 'summarized') summarized.set(path, entry)
  },
  pruned({ latest, summarized }, _entry, { path }) {
    latest.delete(path)
    summarized.delete(path)
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
