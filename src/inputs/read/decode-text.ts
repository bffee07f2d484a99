import { isUtf8 } from 'node:buffer'
import type { InputProblem } from '../../core/document/document.ts'

export interface DecodedText {
  readonly text: string
  /** The encoding that was used, unless the text is UTF-8 or declares its encoding. */
  readonly encoding?: string
}

export interface DecodeOptions {
  /**
   * The encoding of text that is not UTF-8: a name that browsers know, or `auto` to detect it. Without it,
   * such text fails.
   */
  readonly encoding?: string | undefined
  /** The encoding that the text declares, as HTML does. */
  readonly declared?: string | undefined
}

/**
 * Decodes text. A byte-order mark takes precedence, then valid UTF-8, then the declared encoding, then the
 * given or detected one. No byte is replaced: invalid text is a failure. Library for detection: chardet.
 */
export async function decodeText(
  bytes: Buffer,
  { encoding, declared }: DecodeOptions,
): Promise<DecodedText | InputProblem> {
  const [firstByte, secondByte] = bytes
  if (firstByte === 0xff && secondByte === 0xfe) return decodeAsDeclared(bytes, 'utf-16le') ?? notUtf16Problem
  if (firstByte === 0xfe && secondByte === 0xff) return decodeAsDeclared(bytes, 'utf-16be') ?? notUtf16Problem
  // Text in these encodings looks like UTF-8 or like binary data.
  const isSevenBitSafe = encoding !== undefined && /^(utf-16|iso-2022)/i.test(encoding)
  if (isSevenBitSafe) return decodeAs(bytes, encoding) ?? invalidEncodingProblem(encoding)
  if (bytes.includes(0))
    return { action: 'fail', type: 'binary', message: 'not text (it contains NUL bytes)' }
  if (isUtf8(bytes)) return { text: new TextDecoder().decode(bytes) }
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
 * Fixes Node 20, which decodes windows-1252 as ISO 8859-1, where quotation marks and dashes are control
 * characters.
 * @see https://github.com/nodejs/node/issues/56542
 */
function fixWindows1252(text: string): string {
  return text.replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80] ?? character)
}

const windows1252 = [...'€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ']

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
  message: 'it starts like UTF-16 but is not',
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
