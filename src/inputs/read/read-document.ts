import { hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Document, DocumentRef, Fingerprint, InputProblem } from '../../core/document/document.ts'
import { isGenerated, reportFormats, signatureBytes } from '../../core/report/generated-marker.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { ExitError } from '../../errors.ts'
import { describeFsError } from '../describe-fs-error.ts'
import { earlierReportProblem } from '../find/earlier-output.ts'
import { decodeText } from './decode-text.ts'
import type { ConvertedText } from './readers/convert-document.ts'
import {
  detectFormat,
  documentFormats,
  type FormatName,
  findFormatByName,
  type ReaderSettings,
} from './readers/document-formats.ts'
import { createThreadReader } from './readers/read-in-thread.ts'

/** More bytes than any model's window can hold as text; a larger file is refused before it is read. */
export const maxInputBytes = 10_000_000

/** Bytes of a PDF or an archive, most of which may be pictures. */
const maxPackedBytes = 64_000_000

export interface ReadOptions extends ReaderSettings {
  readonly cwd: string
  readonly stdin: Readable
  /** Told of the first text that was not UTF-8, for each encoding. */
  readonly onWarning?: (text: string) => void
}

export type ReadDocument = (source: DocumentRef) => Promise<Document | InputProblem>

/**
 * Reads sources as text, each by the reader of its kind; see `docs/documents.md`. Text itself is UTF-8 with or without
 * byte-order mark, UTF-16 with one, or what `encoding` says. Nothing is replaced. An empty or binary file is skipped if
 * it was met in a walk; everything else unusable is a failure.
 */
export function createDocumentReader({
  cwd,
  stdin,
  encoding,
  pdf = 'text',
  onWarning,
}: ReadOptions): ReadDocument {
  const convert = createThreadReader()
  const reportedEncodings = new Set<string>()
  // One at a time, for they can be large.
  let lastRead: Promise<unknown> = Promise.resolve()
  const readInTurn: ReadDocument = (source) => {
    const next = lastRead.then(() => readOne(source))
    lastRead = next.catch(() => {})
    return next
  }

  const toText = async (path: string, bytes: Buffer): Promise<ConvertedText | InputProblem> => {
    const format = detectFormat(path, bytes)
    if (typeof format === 'object') return format
    if (format === undefined) return decodeText(bytes, { encoding })
    return convert({ format, bytes, encoding, pdf })
  }

  const readOne: ReadDocument = async (source) => {
    const { path, namedByUser } = source
    const emptyAs = namedByUser ? 'fail' : 'skip'
    const content = await (path === '-' ? readStdin(stdin) : readFile(resolve(cwd, path))).catch(
      (error: unknown) => toInputProblem(error, source),
    )
    if ('action' in content) return content
    const { bytes, mtimeMs } = content
    if (bytes.length > findSizeLimit(bytes)) return tooLargeProblem(bytes.length, findSizeLimit(bytes))
    if (isBlank(bytes)) return emptyProblem(emptyAs)
    if (!namedByUser && isReport(bytes)) return earlierReportProblem
    const read = await toText(path, bytes)
    if ('action' in read) return read.type === 'binary' ? { ...read, action: emptyAs } : read
    const { text, encoding: found, pages } = read
    if (pages !== undefined) return toPdfDocument(source, bytes, pages, mtimeMs)
    if (text.trim() === '') return emptyProblem(emptyAs)
    if (found !== undefined && !reportedEncodings.has(found)) {
      reportedEncodings.add(found)
      onWarning?.(`${path} is not UTF-8 and is read as ${found}, as are others like it`)
    }
    return { ref: source, text, fingerprint: createFingerprint(bytes, mtimeMs) }
  }

  return (source) => (isPacked(findFormatByName(source.path)) ? readInTurn(source) : readOne(source))
}

function createFingerprint(bytes: Buffer, mtimeMs: number | undefined): Fingerprint {
  return { size: bytes.length, sha256: hash('sha256', bytes), ...(mtimeMs !== undefined && { mtimeMs }) }
}

function toPdfDocument(
  source: DocumentRef,
  bytes: Buffer,
  pages: number,
  mtimeMs: number | undefined,
): Document {
  const pdf = { base64: bytes.toString('base64'), pages }
  const text = '[The document is the PDF that is attached.]'
  return { ref: source, text, pdf, fingerprint: createFingerprint(bytes, mtimeMs) }
}

function isPacked(kind: FormatName | undefined): boolean {
  return kind !== undefined && documentFormats[kind].container !== 'text'
}

/** No text, of whatever kind it was to be. */
function isBlank(bytes: Buffer): boolean {
  return bytes.toString('utf8', 0, 100).trim() === '' && bytes.toString().trim() === ''
}

function isReport(bytes: Buffer): boolean {
  const beginning = bytes.toString('utf8', 0, signatureBytes)
  return reportFormats.some((format) => isGenerated(format, beginning))
}

function emptyProblem(as: InputProblem['action']): InputProblem {
  return { action: as, type: 'empty', message: 'the file has no text' }
}

interface Content {
  readonly bytes: Buffer
  /** As it was before the first byte was read: whatever changes later has another. */
  readonly mtimeMs?: number
}

async function readStdin(stdin: Readable): Promise<Content> {
  return { bytes: await readStream(stdin) }
}

/** Opened without blocking and looked at before it is read: a named pipe would hold up the whole process. */
async function readFile(file: string): Promise<Content | InputProblem> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) return { action: 'fail', type: 'not_a_file', message: 'not a regular file' }
    const limit = stats.size > maxInputBytes ? findSizeLimit(await readStart(handle)) : maxInputBytes
    if (stats.size > limit) return tooLargeProblem(stats.size, limit)
    // The size may lie (files of /proc) or grow meanwhile: read up to the limit, whatever was said.
    return { bytes: await readContent(handle, stats.size, limit), mtimeMs: stats.mtimeMs }
  } finally {
    await handle.close()
  }
}

/** As many bytes as tell whether it is packed. */
async function readStart(handle: FileHandle): Promise<Buffer> {
  const start = Buffer.alloc(5)
  const { bytesRead } = await handle.read(start, 0, start.length, 0)
  return start.subarray(0, bytesRead)
}

/** The most bytes of what starts so. */
function findSizeLimit(start: Buffer): number {
  const magic = start.toString('latin1', 0, 5)
  return magic === '%PDF-' || magic.startsWith('PK\x03\x04') ? maxPackedBytes : maxInputBytes
}

/** Reads a file to its end, or a little beyond the limit. @param size that it is expected to have */
async function readContent(handle: FileHandle, size: number, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  while (length <= limit) {
    // One byte more than there should be, to see the end.
    const chunk = Buffer.allocUnsafe(length === 0 ? size + 1 : extraChunkBytes)
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
const extraChunkBytes = 65_536

/** Reads a stream to its end, or a little beyond the limit. */
async function readStream(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    if (length > findSizeLimit(chunks[0] ?? chunk)) break
  }
  return Buffer.concat(chunks)
}

function tooLargeProblem(size: number, maxBytes: number): InputProblem {
  const reason = maxBytes === maxInputBytes ? ', which no model can read at once' : ''
  return {
    action: 'fail',
    type: 'too_large',
    message: `larger than ${maxBytes / 1e6} MB (${Math.ceil(size / 1e5) / 10} MB)${reason}; split it`,
  }
}

function toInputProblem(error: unknown, { path }: DocumentRef): InputProblem {
  const { code } = error as NodeJS.ErrnoException
  // A file name that is not UTF-8 comes back changed, so that it cannot be opened.
  if (code === 'ENOENT' && path.includes('\ufffd'))
    return { action: 'fail', type: 'bad_name', message: 'its name is not UTF-8; rename it' }
  if (code === 'ENOENT') return { action: 'fail', type: 'vanished', message: 'it was deleted during the run' }
  // Opening a socket, or a device that is not there.
  if (code === 'ENXIO') return { action: 'fail', type: 'not_a_file', message: 'not a regular file' }
  // Not a problem of the document: too many files are open.
  if (code === 'EMFILE' || code === 'ENFILE') {
    throw new ExitError(
      'ioError',
      `cannot open ${escapeControlChars(path)}: too many open files (raise ulimit -n, or lower --concurrency)`,
    )
  }
  if (code === undefined) throw error
  return { action: 'fail', type: 'unreadable', message: describeFsError(error as NodeJS.ErrnoException) }
}
