import { isUtf8 } from 'node:buffer'
import type { InputProblem } from '../../core/document/document.ts'

export interface DecodedText {
  readonly text: string
  /** What it was read as, where it does not say so itself. */
  readonly encoding?: string
}

export interface DecodeOptions {
  /** What text is that is not UTF-8, by a name that browsers know, or `auto` to guess; undefined: a failure. */
  readonly encoding?: string | undefined
  /** What it says of itself, as HTML does. */
  readonly declared?: string | undefined
}

/**
 * Decodes text. A byte-order mark goes first, then UTF-8, and only then what was said or guessed. Nothing is
 * replaced: what is not valid is a failure. Library, for guessing: chardet.
 */
export async function decodeText(
  bytes: Buffer,
  { encoding, declared }: DecodeOptions,
): Promise<DecodedText | InputProblem> {
  const [firstByte, secondByte] = bytes
  if (firstByte === 0xff && secondByte === 0xfe) return decodeAsDeclared(bytes, 'utf-16le') ?? notUtf16Problem
  if (firstByte === 0xfe && secondByte === 0xff) return decodeAsDeclared(bytes, 'utf-16be') ?? notUtf16Problem
  // These look like UTF-8, or like no text.
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
    message: `not UTF-8 from byte ${findFirstInvalidByte(bytes)} on; say what it is, as --encoding windows-1252 does, or --encoding auto`,
  }
}

function decodeAsDeclared(bytes: Buffer, label: string): DecodedText | undefined {
  const decoded = decodeAs(bytes, label)
  return decoded && { text: decoded.text }
}

/** Undefined where it is not valid, or nobody knows the name. */
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
 * Node 20 decodes windows-1252 as if it were ISO 8859-1, where quotation marks and dashes are control characters.
 * @see https://github.com/nodejs/node/issues/56542
 */
function fixWindows1252(text: string): string {
  return text.replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80] ?? character)
}

const windows1252 = [...'€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ']

/** By what is around the first byte that is not ASCII: most of the rest may be. */
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
    message: `not UTF-8 from byte ${invalidAt} on, and not to be guessed; say --encoding`,
  }
}

function invalidEncodingProblem(encoding: string): InputProblem {
  return {
    action: 'fail',
    type: 'not_valid',
    message: `not valid as ${encoding}, which --encoding says it is`,
  }
}

const notUtf16Problem: InputProblem = {
  action: 'fail',
  type: 'not_utf16',
  message: 'it starts like UTF-16 but is not',
}

/** Where the first character begins that is none, found by halving. */
function findFirstInvalidByte(bytes: Buffer): number {
  let [validLength, invalidLength] = [0, bytes.length]
  while (invalidLength - validLength > 1) {
    const middle = (validLength + invalidLength) >> 1
    if (isValidPrefix(bytes.subarray(0, middle))) validLength = middle
    else invalidLength = middle
  }
  // What may still go on can end in the first bytes of the bad character.
  while (!isUtf8(bytes.subarray(0, validLength))) validLength--
  return validLength
}

/** UTF-8, but for a last character that is not complete yet. */
function isValidPrefix(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}
