import { hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Document, Fingerprint, InputProblem, Source } from '../../core/document/document.ts'
import { beginningBytes, isGenerated, reportFormats } from '../../core/document/generated-marker.ts'
import { printable } from '../../core/text/escape-control.ts'
import { RunError } from '../../errors.ts'
import { earlierReport } from '../find/earlier-output.ts'
import { reasonOf } from '../find/reason.ts'
import { decode } from './decode.ts'
import { apart } from './readers/apart.ts'
import type { Converted } from './readers/convert.ts'
import { type KindName, kindNamed, kindOf, kinds, type ReadSettings } from './readers/kinds.ts'

/** More bytes than any model's window can hold as text; a larger file is refused before it is read. */
export const largestInput = 10_000_000

/** Bytes of a PDF or an archive, most of which may be pictures. */
const largestPacked = 64_000_000

export interface ReadOptions extends ReadSettings {
  readonly cwd: string
  readonly stdin: Readable
  /** Told of the first text that was not UTF-8, for each encoding. */
  readonly tell?: (text: string) => void
}

export type Read = (source: Source) => Promise<Document | InputProblem>

/**
 * Reads sources as text, each by the reader of its kind; see `docs/documents.md`. Text itself is UTF-8 with or without
 * byte-order mark, UTF-16 with one, or what `encoding` says. Nothing is replaced. An empty or binary file is skipped if
 * it was met in a walk; everything else unusable is a failure.
 */
export function reader({ cwd, stdin, encoding, pdf = 'text', tell }: ReadOptions): Read {
  const convert = apart()
  const told = new Set<string>()
  // One at a time, for they can be large.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn: Read = (source) => {
    const next = last.then(() => one(source))
    last = next.catch(() => {})
    return next
  }

  const textOf = async (path: string, bytes: Buffer): Promise<Converted | InputProblem> => {
    const kind = kindOf(path, bytes)
    if (typeof kind === 'object') return kind
    if (kind === undefined) return decode(bytes, { encoding })
    return convert({ kind, bytes, encoding, pdf })
  }

  const one: Read = async (source) => {
    const { path, named } = source
    const softly = named ? 'fail' : 'skip'
    const content = await (path === '-' ? fromStdin(stdin) : readFile(resolve(cwd, path))).catch(
      (error: unknown) => problemOf(error, source),
    )
    if ('as' in content) return content
    const { bytes, mtimeMs } = content
    if (bytes.length > limitOf(bytes)) return tooLarge(bytes.length, limitOf(bytes))
    if (isBlank(bytes)) return empty(softly)
    if (!named && isReport(bytes)) return earlierReport
    const read = await textOf(path, bytes)
    if ('as' in read) return read.type === 'binary' ? { ...read, as: softly } : read
    const { text, encoding: found, pages } = read
    if (pages !== undefined) return asItIs(source, bytes, pages, mtimeMs)
    if (text.trim() === '') return empty(softly)
    if (found !== undefined && !told.has(found)) {
      told.add(found)
      tell?.(`${path} is not UTF-8 and is read as ${found}, as are others like it`)
    }
    return { source, text, bytes: fingerprint(bytes, mtimeMs) }
  }

  return (source) => (isPacked(kindNamed(source.path)) ? inTurn(source) : one(source))
}

function fingerprint(bytes: Buffer, mtimeMs: number | undefined): Fingerprint {
  return { size: bytes.length, sha256: hash('sha256', bytes), ...(mtimeMs !== undefined && { mtimeMs }) }
}

function asItIs(source: Source, bytes: Buffer, pages: number, mtimeMs: number | undefined): Document {
  const pdf = { base64: bytes.toString('base64'), pages }
  const text = '[The document is the PDF that is attached.]'
  return { source, text, pdf, bytes: fingerprint(bytes, mtimeMs) }
}

function isPacked(kind: KindName | undefined): boolean {
  return kind !== undefined && kinds[kind].is !== 'text'
}

/** No text, of whatever kind it was to be. */
function isBlank(bytes: Buffer): boolean {
  return bytes.toString('utf8', 0, 100).trim() === '' && bytes.toString().trim() === ''
}

function isReport(bytes: Buffer): boolean {
  const beginning = bytes.toString('utf8', 0, beginningBytes)
  return reportFormats.some((format) => isGenerated(format, beginning))
}

function empty(as: InputProblem['as']): InputProblem {
  return { as, type: 'empty', message: 'the file has no text' }
}

interface Content {
  readonly bytes: Buffer
  /** As it was before the first byte was read: whatever changes later has another. */
  readonly mtimeMs?: number
}

async function fromStdin(stdin: Readable): Promise<Content> {
  return { bytes: await drain(stdin) }
}

/** Opened without blocking and looked at before it is read: a named pipe would hold up the whole process. */
async function readFile(file: string): Promise<Content | InputProblem> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) return { as: 'fail', type: 'not_a_file', message: 'not a regular file' }
    const limit = stats.size > largestInput ? limitOf(await startOf(handle)) : largestInput
    if (stats.size > limit) return tooLarge(stats.size, limit)
    // The size may lie (files of /proc) or grow meanwhile: read up to the limit, whatever was said.
    return { bytes: await contentOf(handle, stats.size, limit), mtimeMs: stats.mtimeMs }
  } finally {
    await handle.close()
  }
}

/** As many bytes as tell whether it is packed. */
async function startOf(handle: FileHandle): Promise<Buffer> {
  const start = Buffer.alloc(5)
  const { bytesRead } = await handle.read(start, 0, start.length, 0)
  return start.subarray(0, bytesRead)
}

/** The most bytes of what starts so. */
function limitOf(start: Buffer): number {
  const magic = start.toString('latin1', 0, 5)
  return magic === '%PDF-' || magic.startsWith('PK\x03\x04') ? largestPacked : largestInput
}

/** Reads a file to its end, or a little beyond the limit. @param size that it is expected to have */
async function contentOf(handle: FileHandle, size: number, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  while (length <= limit) {
    // One byte more than there should be, to see the end.
    const chunk = Buffer.allocUnsafe(length === 0 ? size + 1 : moreBytes)
    let filled = 0
    while (filled < chunk.length) {
      const { bytesRead } = await handle.read(chunk, filled, chunk.length - filled)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    chunks.push(chunk.subarray(0, filled))
    length += filled
    if (filled < chunk.length) break
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
}

/** At a time, of a file that is longer than it said. */
const moreBytes = 65_536

/** Reads a stream to its end, or a little beyond the limit. */
async function drain(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    if (length > limitOf(chunks[0] ?? chunk)) break
  }
  return Buffer.concat(chunks)
}

function tooLarge(size: number, most: number): InputProblem {
  const why = most === largestInput ? ', which no model can read at once' : ''
  return {
    as: 'fail',
    type: 'too_large',
    message: `larger than ${most / 1e6} MB (${Math.ceil(size / 1e5) / 10} MB)${why}; split it`,
  }
}

function problemOf(error: unknown, { path }: Source): InputProblem {
  const { code } = error as NodeJS.ErrnoException
  // A file name that is not UTF-8 comes back changed, so that it cannot be opened.
  if (code === 'ENOENT' && path.includes('\ufffd'))
    return { as: 'fail', type: 'bad_name', message: 'its name is not UTF-8; rename it' }
  if (code === 'ENOENT')
    return { as: 'fail', type: 'vanished', message: 'it was there when the run began and is gone' }
  // Opening a socket, or a device that is not there.
  if (code === 'ENXIO') return { as: 'fail', type: 'not_a_file', message: 'not a regular file' }
  // No fault of the document's: there are too many open files just now.
  if (code === 'EMFILE' || code === 'ENFILE') {
    throw new RunError(
      'io',
      `cannot open ${printable(path)}: too many open files (raise ulimit -n, or lower --concurrency)`,
    )
  }
  if (code === undefined) throw error
  return { as: 'fail', type: 'unreadable', message: reasonOf(error as NodeJS.ErrnoException) }
}
