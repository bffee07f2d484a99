import { join } from 'node:path'
import { withoutFrontMatter } from '../../core/document/front-matter.ts'
import type { DocumentLine, RunLine } from '../../core/run/ledger-entry.ts'
import { readWhole } from '../fs/output-files.ts'
import { ledgerIn } from '../output-folder.ts'
import { pathsSeenFrom, readLedgerLines } from './ledger.ts'

/** What became of a document in an output folder, last of all. */
export interface Result {
  readonly line: DocumentLine
  /** The summary; undefined where there is none. */
  readonly text?: string
}

/**
 * The last result of each document that an output folder remembers, by its path.
 * @param here the working directory, as seen from the output folder
 * @throws RunError `usage` or `io`
 */
export async function resultsIn(out: string, here: string): Promise<ReadonlyMap<string, Result>> {
  const file = ledgerIn(out)
  const pathOf = pathsSeenFrom(file, here)
  const lines = new Map<string, DocumentLine>()
  let run: RunLine | undefined
  for await (const together of readLedgerLines(file)) {
    for (const line of together) {
      if ('run' in line) run = line
      if (!('path' in line) || 'damaged' in line) continue
      const path = pathOf(run, line.path)
      if (line.status === 'pruned') lines.delete(path)
      else if (line.status !== 'unchanged') lines.set(path, line)
    }
  }
  const results = new Map<string, Result>()
  for (const [path, line] of lines) {
    const text = line.output && line.status === 'summarized' ? await textIn(out, line.output.file) : undefined
    results.set(path, text === undefined ? { line } : { line, text: withoutFrontMatter(text, line) })
  }
  return results
}

/** Bytes. No model writes as much; a file of that name may be anything. */
const longestText = 64_000_000

/** The text of a file below an output folder; undefined where it cannot be read, is none, or is behind a link. */
export async function textIn(out: string, file: string): Promise<string | undefined> {
  const content = await readWhole(out, join(out, file), longestText).catch(() => undefined)
  return content?.toString('utf8')
}
