import { isUtf8 } from 'node:buffer'
import type { InputProblem } from '../../core/document/document.ts'
import { findDeclaredCharset } from './declared-charset.ts'
import { decodeNearlyUtf8 } from './nearly-utf8.ts'
import { sniffEncoding } from './sniff-encoding.ts'
import { fixWindows1252 } from './windows-1252.ts'

export interface DecodedText {
  readonly text: string
  /** The encoding that was used, unless the text is UTF-8 or declares its encoding. */
  readonly encoding?: string
  /** Number of bytes that are not UTF-8 in a text that otherwise is; they are decoded as windows-1252. */
  readonly invalidBytes?: number
}

export interface DecodeOptions {
  /**
   * The encoding of text that is not UTF-8: a name that browsers know, or `auto` to detect it. Without it,
   * such text fails.
   */
  readonly encoding?: string | undefined
  /** Whether the text is HTML: it may declare its encoding, and browsers ignore NUL bytes in it. */
  readonly isHtml?: boolean
}

/**
 * Decodes text. A byte-order mark takes precedence, then valid UTF-8, then UTF-8 with a few invalid bytes,
 * then the declared encoding, then the given or detected one. No byte is replaced: invalid text is a failure.
 * Library for detection: chardet.
 */
export async function decodeText(
  bytes: Buffer,
  { encoding, isHtml = false }: DecodeOptions,
): Promise<DecodedText | InputProblem> {
  const [firstByte, secondByte] = bytes
  if (firstByte === 0xff && secondByte === 0xfe) return decodeUtf16(bytes, 'utf-16le')
  if (firstByte === 0xfe && secondByte === 0xff) return decodeUtf16(bytes, 'utf-16be')
  // Text in these encodings looks like UTF-8 or like binary data.
  const isSevenBitSafe = encoding !== undefined && /^(utf-16|iso-2022)/i.test(encoding)
  if (isSevenBitSafe) return decodeAs(bytes, encoding) ?? invalidEncodingProblem(encoding)
  const sniffed = sniffEncoding(bytes)
  if (sniffed !== undefined) return decodeAs(bytes, sniffed) ?? invalidEncodingProblem(sniffed)
  const content = isHtml ? removeStrayNuls(bytes) : bytes
  if (content.includes(0))
    return { action: 'fail', type: 'binary', message: 'not text (it contains NUL bytes)' }
  if (isUtf8(content)) return { text: new TextDecoder().decode(content) }
  return decodeOther(content, encoding, findDeclaredCharset(content, isHtml))
}

/** Decodes text with a byte-order mark. UTF-32 has the same mark, and NUL in each character. */
function decodeUtf16(bytes: Buffer, label: string): DecodedText | InputProblem {
  const decoded = decodeAsDeclared(bytes, label)
  return decoded === undefined || decoded.text.includes('\0') ? notUtf16Problem : decoded
}

/** Decodes text that is not valid UTF-8. */
async function decodeOther(
  bytes: Buffer,
  encoding: string | undefined,
  declared: string | undefined,
): Promise<DecodedText | InputProblem> {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const nearlyUtf8 = decodeNearlyUtf8(bytes, hasMark || /^utf-?8$/i.test(declared ?? ''))
  if (nearlyUtf8 !== undefined) return nearlyUtf8
  const declaredText = declared === undefined ? undefined : decodeAsDeclared(bytes, declared)
  if (declaredText !== undefined) return declaredText
  if (encoding === 'auto') return decodeByGuess(bytes)
  if (encoding !== undefined) return decodeAs(bytes, encoding) ?? invalidEncodingProblem(encoding)
  return {
    action: 'fail',
    type: 'not_utf8',
    message: `not UTF-8 from byte ${findFirstInvalidByte(bytes)} on; name its encoding, for example --encoding windows-1252, or use --encoding auto`,
  }
}

/** Returns a note about the encoding of a text that is not simply UTF-8; undefined for others. */
export function describeEncoding({ encoding, invalidBytes }: DecodedText): string | undefined {
  if (invalidBytes !== undefined)
    return 'has bytes that are not UTF-8; in it and in similar documents, such bytes are read as windows-1252'
  return encoding && `is not UTF-8; it and similar documents are read as ${encoding}`
}

/** Removes NUL bytes, if there are few. */
function removeStrayNuls(bytes: Buffer): Buffer {
  if (!bytes.includes(0)) return bytes
  const content = bytes.filter((byte) => byte !== 0)
  return content.length * 100 > bytes.length * 99 ? Buffer.from(content) : bytes
}

function decodeAsDeclared(bytes: Buffer, label: string): DecodedText | undefined {
  const decoded = decodeAs(bytes, label)
  return decoded && { text: decoded.text }
}

/** Returns undefined if the text is invalid or the encoding is unknown. */
function decodeAs(bytes: Buffer, label: string): DecodedText | undefined {
  try {
    const decoder = new TextDecoder(label, { fatal: true })
    const text = decoder.decode(bytes)
    const { encoding } = decoder
    return { text: encoding === 'windows-1252' ? fixWindows1252(text) : text, encoding }
  } catch {
    return undefined
  }
}

/**
 * Detects the encoding from the bytes around the first invalid one, because most of the rest may be ASCII.
 */
async function decodeByGuess(bytes: Buffer): Promise<DecodedText | InputProblem> {
  const { analyse } = await import('chardet')
  const invalidAt = findFirstInvalidByte(bytes)
  const guesses = analyse(bytes.subarray(Math.max(0, invalidAt - 4096), invalidAt + 65_536))
  for (const { name } of guesses) {
    const decoded = decodeAs(bytes, name)
    if (decoded !== undefined && decoded.encoding !== 'utf-8') return decoded
  }
  return {
    action: 'fail',
    type: 'not_utf8',
    message: `not UTF-8 from byte ${invalidAt} on, and its encoding cannot be detected; name it with --encoding`,
  }
}

function invalidEncodingProblem(encoding: string): InputProblem {
  return {
    action: 'fail',
    type: 'not_valid',
    message: `not valid as ${encoding}, the encoding given with --encoding`,
  }
}

const notUtf16Problem: InputProblem = {
  action: 'fail',
  type: 'not_utf16',
  message: 'not valid UTF-16, although it begins with its byte-order mark',
}

/** Returns where the first invalid character begins, by binary search. */
function findFirstInvalidByte(bytes: Buffer): number {
  let [validLength, invalidLength] = [0, bytes.length]
  while (invalidLength - validLength > 1) {
    const middle = (validLength + invalidLength) >> 1
    if (isValidPrefix(bytes.subarray(0, middle))) validLength = middle
    else invalidLength = middle
  }
  // A valid prefix may end inside the invalid character.
  while (!isUtf8(bytes.subarray(0, validLength))) validLength--
  return validLength
}

/** Whether the bytes are UTF-8, except that the last character may be incomplete. */
function isValidPrefix(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}
