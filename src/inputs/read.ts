import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { Document, InputProblem, Source } from '../core/document.ts'
import { printable } from '../core/printable.ts'
import { RunError } from '../errors.ts'
import { reasonOf } from './reason.ts'

/** More bytes than any model's window can hold as text; a larger file is refused before it is read. */
export const largestInput = 10_000_000

export interface ReadOptions {
  readonly cwd: string
  readonly stdin: Readable
}

/**
 * Reads one source as text: UTF-8 with or without byte-order mark, or UTF-16 with one. Nothing is guessed, nothing
 * replaced. An empty or binary file is skipped if it was met in a walk; everything else unusable is a failure.
 */
export async function read(source: Source, { cwd, stdin }: ReadOptions): Promise<Document | InputProblem> {
  const softly = source.named ? 'fail' : 'skip'
  const content = await (source.path === '-' ? fromStdin(stdin) : readFile(resolve(cwd, source.path))).catch(
    (error: unknown) => problemOf(error, source),
  )
  if ('as' in content) return content
  const { bytes, mtimeMs } = content
  if (bytes.length > largestInput) return tooLarge(bytes.length)
  const text = decode(bytes)
  if (typeof text !== 'string') return text.type === 'binary' ? { ...text, as: softly } : text
  if (text.trim() === '') return { as: softly, type: 'empty', message: 'the file has no text' }
  const sha256 = hash('sha256', bytes)
  return { source, text, bytes: { size: bytes.length, sha256, ...(mtimeMs !== undefined && { mtimeMs }) } }
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
    if (stats.size > largestInput) return tooLarge(stats.size)
    // The size may lie (files of /proc) or grow meanwhile: read up to the limit, whatever was said.
    return { bytes: await contentOf(handle, stats.size), mtimeMs: stats.mtimeMs }
  } finally {
    await handle.close()
  }
}

/** Reads a file to its end, or a little beyond the limit. @param size that it is expected to have */
async function contentOf(handle: FileHandle, size: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  while (length <= largestInput) {
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
    if (length > largestInput) break
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Buffer): string | InputProblem {
  const [a, b] = bytes
  if (a === 0xff && b === 0xfe) return utf16(bytes, 'utf-16le')
  if (a === 0xfe && b === 0xff) return utf16(bytes, 'utf-16be')
  if (bytes.includes(0)) return { as: 'fail', type: 'binary', message: 'not text (it contains NUL bytes)' }
  if (!isUtf8(bytes))
    return {
      as: 'fail',
      type: 'not_utf8',
      message: `not UTF-8 from byte ${firstBadByte(bytes)} on; convert it, for example with iconv -f latin1 -t utf8`,
    }
  return new TextDecoder().decode(bytes)
}

function utf16(bytes: Buffer, encoding: 'utf-16le' | 'utf-16be'): string | InputProblem {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return { as: 'fail', type: 'not_utf16', message: 'it starts like UTF-16 but is not' }
  }
}

/** Where the first character begins that is none, found by halving. */
function firstBadByte(bytes: Buffer): number {
  let [good, bad] = [0, bytes.length]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (mayGoOn(bytes.subarray(0, middle))) good = middle
    else bad = middle
  }
  // What may still go on can end in the first bytes of the bad character.
  while (!isUtf8(bytes.subarray(0, good))) good--
  return good
}

/** UTF-8, but for a last character that is not complete yet. */
function mayGoOn(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

function tooLarge(size: number): InputProblem {
  const limit = `${largestInput / 1e6} MB`
  return {
    as: 'fail',
    type: 'too_large',
    message: `larger than ${limit} (${Math.ceil(size / 1e5) / 10} MB), which no model can read at once; split it`,
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
