import { hash } from 'node:crypto'
import { constants } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Document, DocumentRef, Fingerprint, InputProblem } from '../../core/document/document.ts'
import { findLineMarks } from '../../core/document/markdown-headings.ts'
import { generatedFormats, isGenerated, signatureBytes } from '../../core/report/generated-marker.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { ExitError } from '../../errors.ts'
import { describeFsError } from '../describe-fs-error.ts'
import { earlierReportProblem } from '../find/earlier-output.ts'
import { type ConvertCommands, type ConvertersOptions, createConverters } from './converters.ts'
import { type DecodedText, decodeText, describeEncoding } from './decode-text.ts'
import { createFileAccess, type FileAccess } from './file-access.ts'
import { omitEncodedData } from './omit-encoded-data.ts'
import { createReadTurns } from './read-turns.ts'
import type { ConvertedText } from './readers/convert-document.ts'
import {
  detectFormat,
  detectImageFormat,
  documentFormats,
  type FormatName,
  findFormatByName,
  type ReaderSettings,
} from './readers/document-formats.ts'
import { findPlaceholderProblem } from './readers/placeholder-file.ts'
import { createThreadReader } from './readers/read-in-thread.ts'
import { findUnsupportedFormat } from './readers/unsupported-formats.ts'

/**
 * Maximum size of a text in bytes: more than any model's context window holds. A larger file is rejected
 * before it is read.
 */
export const maxInputBytes = 10_000_000

/** Maximum size in bytes of a PDF, an archive, or another file most of which may be images. */
const maxPackedBytes = 64_000_000

export interface ReadOptions extends ReaderSettings {
  readonly cwd: string
  /** What `-` names. Default: `-` is the name of a file. */
  readonly stdin?: Readable | undefined
  /** The programs that read documents of some extensions, and what they need. Default: none */
  readonly converters?:
    | (Omit<ConvertersOptions, 'commands' | 'cwd' | 'encoding'> & {
        readonly commands: ConvertCommands | undefined
      })
    | undefined
  /** Called with a warning for the first text in each encoding other than UTF-8. */
  readonly onWarning?: (text: string) => void
  /** Returns the CPU time of the process; see `createTimeBudget`. */
  readonly getCpuTimeMs?: (() => number) | undefined
  /** Stops the reader when it is aborted. A document that is being read may then be a failure. */
  readonly signal?: AbortSignal | undefined
}

/** Reads a document. @param bytes its content, if it is not a file */
export type ReadDocument = (source: DocumentRef, bytes?: Buffer) => Promise<Document | InputProblem>

/**
 * Returns a function that reads documents as text, each with the reader of its format; see
 * `docs/documents.md`. Plain text is UTF-8 or UTF-16, with or without a byte-order mark, or in the
 * given `encoding`. No byte is replaced. An empty or binary file that was found in a folder is skipped, if its
 * extension promises no format with a reader; every other unusable document is a failure.
 */
export function createDocumentReader({
  cwd,
  stdin,
  encoding,
  pdf = 'text',
  citations,
  onWarning,
  getCpuTimeMs,
  signal,
  converters: { commands = {}, ...converterOptions } = noConverters,
}: ReadOptions): ReadDocument {
  const converters = createConverters({ ...converterOptions, commands, cwd, encoding })
  const convert = createThreadReader({ getCpuTimeMs, signal })
  const reportedNotes = new Set<string>()
  const reportEncoding = (path: string, decoded: DecodedText) => {
    const note = describeEncoding(decoded)
    if (note === undefined || reportedNotes.has(note)) return
    reportedNotes.add(note)
    onWarning?.(`${path} ${note}`)
  }
  // Reads one file at a time, because such files can be large.
  let lastRead: Promise<unknown> = Promise.resolve()
  const readInTurn: ReadDocument = (source, given) => {
    const next = lastRead.then(() => readOne(source, given))
    lastRead = next.catch(() => {})
    return next
  }

  const toText = async (path: string, bytes: Buffer): Promise<ConvertedText | InputProblem> => {
    const format = detectFormat(path, bytes)
    if (typeof format === 'object') return format
    if (format === undefined) {
      const decoded = await decodeText(bytes, { encoding })
      if ('action' in decoded) return decoded
      // A working tree of git has CRLF on Windows and LF elsewhere. The request must be the same.
      return { ...decoded, text: omitEncodedData(decoded.text.replaceAll('\r\n', '\n')) }
    }
    return convert({ format, bytes, encoding, pdf, citations })
  }

  const withAccess = createFileAccess()
  const nextReadTurn = createReadTurns()
  const readFromDisk = async (file: string, fixedLimit?: number) => {
    await nextReadTurn()
    return withAccess((access) => readFile(access, file, fixedLimit))
  }
  const load = async (path: string, given: Buffer | undefined) => {
    if (given !== undefined) return { bytes: given }
    return path === '-' && stdin !== undefined ? readStdin(stdin) : readFromDisk(resolve(cwd, path))
  }
  const readOne: ReadDocument = async (source, given) => {
    const { path, namedByUser } = source
    const emptyAs = namedByUser ? 'fail' : 'skip'
    const content: Content | InputProblem = await load(path, given).catch((error: unknown) =>
      toInputProblem(error, source),
    )
    if ('action' in content) return content.type === 'binary' ? { ...content, action: emptyAs } : content
    const { bytes, mtimeMs } = content
    const limit = findSizeLimit(path, bytes)
    if (bytes.length > limit) return tooLargeProblem(bytes.length, limit, bytes)
    if (isBlank(bytes)) return isPacked(findFormatByName(path)) ? incompleteProblem : emptyProblem(emptyAs)
    if (!namedByUser && isReport(bytes)) return earlierReportProblem
    if (!namedByUser && isUnnamedImage(path, bytes)) return unnamedImageProblem
    const read = await toText(path, bytes)
    if ('action' in read) return isNoDocument(path, read) ? { ...read, action: emptyAs } : read
    const { text, marks = findLineMarks(path, text) } = read
    const uploaded = toUpload(read, bytes)
    if (uploaded !== undefined)
      return {
        ref: source,
        ...uploaded,
        ...(read.marks && { marks: read.marks }),
        fingerprint: createFingerprint(bytes, mtimeMs),
      }
    if (text.trim() === '') return emptyProblem(emptyAs)
    reportEncoding(path, read)
    return { ref: source, text, ...(marks && { marks }), fingerprint: createFingerprint(bytes, mtimeMs) }
  }

  const convertOne: ReadDocument = async (source) => {
    const file = resolve(cwd, source.path)
    const content = await readFromDisk(file, maxPackedBytes).catch((error: unknown) =>
      toInputProblem(error, source),
    )
    if ('action' in content) return content
    const { bytes, mtimeMs } = content
    if (bytes.length > maxPackedBytes) return tooLargeProblem(bytes.length, maxPackedBytes, bytes)
    const emptyAs = source.namedByUser ? 'fail' : 'skip'
    if (bytes.length === 0) return emptyProblem(emptyAs)
    const placeholder = findPlaceholderProblem(source.path, bytes)
    if (placeholder !== undefined)
      return placeholder.type === 'lock_file' ? { ...placeholder, action: emptyAs } : placeholder
    const converted = await converters.convert(file)
    if ('action' in converted) return converted
    reportEncoding(source.path, converted)
    return { ref: source, text: converted.text, marks: [], fingerprint: createFingerprint(bytes, mtimeMs) }
  }

  return (source, given) => {
    if (given === undefined && converters.handles(source.path)) return convertOne(source)
    const format = findFormatByName(source.path)
    return isPacked(format) || mayHoldImages(format) ? readInTurn(source, given) : readOne(source, given)
  }
}

const noConverters = { commands: undefined, env: {}, endProcessGroup: () => {} }

/** Whether a file is no document, rather than one that cannot be read. */
function isNoDocument(path: string, { type }: InputProblem): boolean {
  return type === 'lock_file' || (type === 'binary' && findFormatByName(path) === undefined)
}

/** Whether a file is an image whose name does not say so. */
function isUnnamedImage(path: string, bytes: Buffer): boolean {
  return findFormatByName(path) === undefined && detectImageFormat(bytes) !== undefined
}

/** Images in folders are only read if the user asked for their extensions. */
const unnamedImageProblem: InputProblem = {
  action: 'skip',
  type: 'binary',
  message: 'not text (an image); name it, or give it the extension of an image',
}

function createFingerprint(bytes: Buffer, mtimeMs: number | undefined): Fingerprint {
  return { size: bytes.length, sha256: hash('sha256', bytes), ...(mtimeMs !== undefined && { mtimeMs }) }
}

/** Returns what is uploaded, and the text next to it; undefined if the document is only text. */
function toUpload(
  { text, pages, scans, images, uploadedText: content }: ConvertedText,
  bytes: Buffer,
): Pick<Document, 'text' | 'upload'> | undefined {
  if (images !== undefined) {
    const encoded = images.map(({ bytes, ...image }) => ({ ...image, base64: toBase64(bytes) }))
    return { text, upload: { type: 'images', images: encoded } }
  }
  if (pages === undefined) return undefined
  if (scans !== undefined)
    return { text, upload: { type: 'pdf', base64: toBase64(scans), pages, isPartial: true } }
  return {
    text: '[The document is the PDF that is attached.]',
    upload: { type: 'pdf', base64: toBase64(bytes), pages, ...(content !== undefined && { content }) },
  }
}

function toBase64({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('base64')
}

function isPacked(kind: FormatName | undefined): boolean {
  return kind !== undefined && documentFormats[kind].container !== 'text'
}

/** Whether the file has nothing but white space. */
function isBlank(bytes: Buffer): boolean {
  return bytes.toString('utf8', 0, 100).trim() === '' && bytes.toString().trim() === ''
}

function isReport(bytes: Buffer): boolean {
  const beginning = bytes.toString('utf8', 0, signatureBytes)
  return generatedFormats.some((format) => isGenerated(format, beginning))
}

function emptyProblem(as: InputProblem['action']): InputProblem {
  return { action: as, type: 'empty', message: 'the document is empty' }
}

const incompleteProblem: InputProblem = {
  action: 'fail',
  type: 'empty',
  message: 'the file is empty; download or copy it again',
}

interface Content {
  readonly bytes: Buffer
  /** Modification time before the first byte was read, so that a later change is detected. */
  readonly mtimeMs?: number
}

async function readStdin(stdin: Readable): Promise<Content> {
  return { bytes: await readStream(stdin) }
}

/**
 * Reads a regular file. It is opened without blocking and checked first, because reading a named pipe would
 * block the whole process.
 */
async function readFile(
  access: FileAccess,
  file: string,
  fixedLimit?: number,
): Promise<Content | InputProblem> {
  const descriptor = await access.open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await access.stat(descriptor)
    if (!stats.isFile()) return { action: 'fail', type: 'not_a_file', message: 'not a regular file' }
    const start = stats.size > maxInputBytes ? await readStart(access, descriptor) : Buffer.alloc(0)
    const limit = fixedLimit ?? findSizeLimit(file, start)
    if (stats.size > limit) {
      const isReadable = fixedLimit !== undefined || findFormatByName(file) !== undefined
      return (
        (isReadable ? undefined : findUnsupportedFormat(file, start)) ??
        tooLargeProblem(stats.size, limit, start)
      )
    }
    // The size may be wrong (files in /proc) or grow meanwhile, so the file is read up to the limit.
    return { bytes: await readContent(access, descriptor, stats.size, limit), mtimeMs: stats.mtimeMs }
  } finally {
    await access.close(descriptor)
  }
}

/** Returns enough bytes to detect the format. */
async function readStart(access: FileAccess, descriptor: number): Promise<Buffer> {
  const start = Buffer.alloc(512)
  return start.subarray(0, await access.read(descriptor, start, 0))
}

/** Returns the maximum size in bytes of a file with this name that starts with these bytes. */
function findSizeLimit(path: string, start: Buffer): number {
  const magic = start.toString('latin1', 0, 5)
  // An encrypted Office file is not read, but the failure must name the password and not the size.
  const isPackedStart = magic === '%PDF-' || /^(?:PK\x03\x04|\xd0\xcf\x11\xe0|\{\\rtf)/.test(magic)
  const isPackedFormat = mayHoldImages(findFormatByName(path)) || detectImageFormat(start) !== undefined
  return isPackedStart || isPackedFormat ? maxPackedBytes : maxInputBytes
}

/** Whether most of a text file may be encoded images and attachments, which are not part of its text. */
function mayHoldImages(format: FormatName | undefined): boolean {
  return format === 'email' || format === 'notebook'
}

/** Reads a file to its end, or a little beyond the limit. @param size the expected size in bytes */
async function readContent(
  access: FileAccess,
  descriptor: number,
  size: number,
  limit: number,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  while (length <= limit) {
    // One byte more than expected, to detect the end.
    const chunk = Buffer.allocUnsafe(length === 0 ? size + 1 : extraChunkBytes)
    let filled = 0
    while (filled < chunk.length) {
      const bytesRead = await access.read(descriptor, chunk.subarray(filled), null)
      if (bytesRead === 0) break
      filled += bytesRead
    }
    chunks.push(chunk.subarray(0, filled))
    length += filled
    if (filled < chunk.length) break
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
}

/** Bytes per read once a file is longer than its reported size. */
const extraChunkBytes = 65_536

/** Reads a stream to its end, or a little beyond the limit. */
async function readStream(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk)
    length += chunk.length
    if (length > findSizeLimit('-', chunks[0] ?? chunk)) break
  }
  return Buffer.concat(chunks)
}

function tooLargeProblem(size: number, maxBytes: number, start: Buffer): InputProblem {
  const advice = detectImageFormat(start) === 'image' ? 'make it smaller' : 'split it'
  const reason = maxBytes === maxInputBytes ? ', more than any model can read' : ''
  return {
    action: 'fail',
    type: 'too_large',
    message: `larger than ${maxBytes / 1e6} MB (${Math.ceil(size / 1e5) / 10} MB)${reason}; ${advice}`,
  }
}

function toInputProblem(error: unknown, { path }: DocumentRef): InputProblem {
  const { code } = error as NodeJS.ErrnoException
  // Node changes a file name that is not UTF-8, so that the file cannot be opened.
  if (code === 'ENOENT' && path.includes('\ufffd'))
    return { action: 'fail', type: 'bad_name', message: 'its name is not UTF-8; rename it' }
  if (code === 'ENOENT') return { action: 'fail', type: 'vanished', message: 'it was deleted during the run' }
  // The path is a socket, or a device that does not exist.
  if (code === 'ENXIO') return { action: 'fail', type: 'not_a_file', message: 'not a regular file' }
  // Too many open files are not a problem of the document.
  if (code === 'EMFILE' || code === 'ENFILE') {
    throw new ExitError(
      'ioError',
      `cannot open ${escapeControlChars(path)}: too many open files (raise ulimit -n, or lower --concurrency)`,
    )
  }
  if (code === undefined) throw error
  return { action: 'fail', type: 'unreadable', message: describeFsError(error as NodeJS.ErrnoException) }
}
