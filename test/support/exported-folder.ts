import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DocumentEntry, LedgerEntry } from '../../src/core/run/ledger-entry.ts'
import { createDocumentEntry, runStart } from './ledger-entries.ts'
import { createFolder } from './run-cli.ts'
import { runInProcess } from './run-in-process.ts'

/** The entry of a summarized document with this summary, as a run writes it. */
export function createSummarizedEntry(
  path: string,
  text: string,
  fields: Partial<DocumentEntry> = {},
): DocumentEntry {
  const file = { size_bytes: Buffer.byteLength(text), mtime_ms: 1, sha256: hash('sha256', text) }
  const output = { path: `${path}.summary.${text.startsWith('{') ? 'json' : 'md'}`, ...file }
  return createDocumentEntry(path, { size_bytes: 9, sha256: 'd0c', request_hash: 'k', output, ...fields })
}

/**
 * Creates a folder with an output folder `summaries`, whose ledger has these summaries and entries.
 * @param summaries the summaries by the paths of their documents
 * @returns functions to export it and to read the result
 */
export async function createExportedFolder(
  summaries: Readonly<Record<string, string>>,
  entries: readonly LedgerEntry[] = [],
) {
  const made = Object.entries(summaries).map(
    ([path, text]) => [createSummarizedEntry(path, text), text] as const,
  )
  const lines = [runStart, ...made.map(([entry]) => entry), ...entries].map((entry) => JSON.stringify(entry))
  const cwd = await createFolder({
    'summaries/.claude-batch/ledger.jsonl': `${lines.join('\n')}\n`,
    ...Object.fromEntries(made.map(([{ output }, text]) => [`summaries/${output?.path}`, text])),
  })
  const run = (...args: string[]) => runInProcess(['export', ...args], { cwd })
  return {
    cwd,
    run,
    read: (path: string) => readFile(join(cwd, path), 'utf8'),
    /** Exports JSON lines with these flags. */
    async readLines(...args: string[]) {
      const { stdout } = await run(...args)
      return parseLines(stdout)
    },
  }
}

/** Returns the objects of JSON lines. */
export function parseLines(text: string) {
  const lines = text.split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

/**
 * Returns the rows of a CSV text, and checks that it is one (RFC 4180): rows end with CRLF and have the same
 * number of cells; a quotation mark is doubled, and only in a quoted cell.
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex
    const [, quoted, plain = '', end] = cell.exec(text) ?? []
    if (end === undefined) throw new Error(`no CSV at ${JSON.stringify(text.slice(at, at + 40))}`)
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain)
    if (end !== ',') rows.push([])
  }
  const last = rows.pop()
  if (last?.length !== 0 || new Set(rows.map(({ length }) => length)).size > 1)
    throw new Error('the rows differ in length, or the last one does not end')
  return rows
}
