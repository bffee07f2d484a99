import type { FileHandle } from 'node:fs/promises'
import type { Citation } from '../../core/citations/citation.ts'
import { fromCitationFields } from '../../core/citations/citation-fields.ts'
import type { DocumentEntry } from '../../core/run/ledger-entry.ts'
import { parseLedgerEntry } from '../../core/run/parse-ledger-entry.ts'
import { toReadError } from '../fs/disk-error.ts'
import { openForReading } from '../fs/no-follow-fs.ts'
import { ledgerPath } from '../output-folder.ts'

/** Finds the citations of summaries in the ledger. It keeps only their places, because there may be 100,000 of them. */
export interface CitationIndex {
  /**
   * Returns the citations of a summary; undefined if the ledger has none.
   * @param sha256 of the file, as it was written
   * @throws ExitError `ioError`
   */
  find(sha256: string): Promise<readonly Citation[] | undefined>
}

/** Where a line is in the ledger: bytes. */
interface LinePlace {
  readonly start: number
  readonly length: number
}

/** Creates an index, which reads the ledger when it is first used. @param out the output folder; absolute */
export function createCitationIndex(out: string): CitationIndex {
  const file = ledgerPath(out)
  const places = new Map<string, LinePlace>()
  let indexedBytes = 0
  return {
    async find(sha256) {
      try {
        const handle = await openForReading(out, file)
        if (handle === undefined) return undefined
        try {
          // This run appends lines, too.
          indexedBytes = await indexLines(handle, indexedBytes, places)
          const place = places.get(sha256)
          const entry = place && toCitedEntry(await readLine(handle, place))
          return entry?.output?.sha256 === sha256 ? entry.citations?.map(fromCitationFields) : undefined
        } finally {
          await handle.close()
        }
      } catch (error) {
        throw toReadError(file, error as NodeJS.ErrnoException)
      }
    },
  }
}

/** Adds the complete lines from a byte on. @returns the byte after the last one */
async function indexLines(handle: FileHandle, from: number, places: Map<string, LinePlace>): Promise<number> {
  let start = from
  let pieces: Buffer[] = []
  for await (const chunk of handle.createReadStream({ start: from, autoClose: false })) {
    let rest = chunk as Buffer
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      const line = Buffer.concat([...pieces, rest.subarray(0, end)])
      const sha256 = toCitedEntry(line.toString())?.output?.sha256
      if (sha256 !== undefined) places.set(sha256, { start, length: line.length })
      start += line.length + 1
      pieces = []
      rest = rest.subarray(end + 1)
    }
    pieces.push(rest)
  }
  return start
}

async function readLine(handle: FileHandle, { start, length }: LinePlace): Promise<string> {
  const line = Buffer.alloc(length)
  await handle.read(line, 0, length, start)
  return line.toString()
}

/** Returns the entry of a document with citations; undefined for other lines. */
function toCitedEntry(line: string): DocumentEntry | undefined {
  if (!line.includes('"citations":')) return undefined
  const entry = parseLedgerEntry(line)
  return entry.type === 'document' ? entry : undefined
}
