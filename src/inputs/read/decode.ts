import { isUtf8 } from 'node:buffer'
import type { InputProblem } from '../../core/document/document.ts'

export interface Decoded {
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
export async function decode(
  bytes: Buffer,
  { encoding, declared }: DecodeOptions,
): Promise<Decoded | InputProblem> {
  const [a, b] = bytes
  if (a === 0xff && b === 0xfe) return asItSays(bytes, 'utf-16le') ?? notUtf16
  if (a === 0xfe && b === 0xff) return asItSays(bytes, 'utf-16be') ?? notUtf16
  // These look like UTF-8, or like no text.
  const first = encoding !== undefined && /^(utf-16|iso-2022)/i.test(encoding)
  if (first) return decodeAs(bytes, encoding) ?? notValid(encoding)
  if (bytes.includes(0)) return { as: 'fail', type: 'binary', message: 'not text (it contains NUL bytes)' }
  if (isUtf8(bytes)) return { text: new TextDecoder().decode(bytes) }
  const said = declared === undefined ? undefined : asItSays(bytes, declared)
  if (said !== undefined) return said
  if (encoding === 'auto') return guessed(bytes)
  if (encoding !== undefined) return decodeAs(bytes, encoding) ?? notValid(encoding)
  return {
    as: 'fail',
    type: 'not_utf8',
    message: `not UTF-8 from byte ${firstBadByte(bytes)} on; say what it is, as --encoding windows-1252 does, or --encoding auto`,
  }
}

function asItSays(bytes: Buffer, label: string): Decoded | undefined {
  const decoded = decodeAs(bytes, label)
  return decoded && { text: decoded.text }
}

/** Undefined where it is not valid, or nobody knows the name. */
function decodeAs(bytes: Buffer, label: string): Decoded | undefined {
  try {
    const decoder = new TextDecoder(label, { fatal: true })
    const text = decoder.decode(bytes)
    const { encoding } = decoder
    return { text: encoding === 'windows-1252' ? withQuotes(text) : text, encoding }
  } catch {
    return undefined
  }
}

/**
 * Node 20 decodes windows-1252 as if it were ISO 8859-1, where quotation marks and dashes are control characters.
 * @see https://github.com/nodejs/node/issues/56542
 */
function withQuotes(text: string): string {
  return text.replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80] ?? character)
}

const windows1252 = [...'€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ']

/** By what is around the first byte that is not ASCII: most of the rest may be. */
async function guessed(bytes: Buffer): Promise<Decoded | InputProblem> {
  const { analyse } = await import('chardet')
  const bad = firstBadByte(bytes)
  const likely = analyse(bytes.subarray(Math.max(0, bad - 4096), bad + 65_536))
  for (const { name } of likely) {
    const decoded = decodeAs(bytes, name)
    if (decoded !== undefined && decoded.encoding !== 'utf-8') return decoded
  }
  return {
    as: 'fail',
    type: 'not_utf8',
    message: `not UTF-8 from byte ${bad} on, and not to be guessed; say --encoding`,
  }
}

function notValid(encoding: string): InputProblem {
  return { as: 'fail', type: 'not_valid', message: `not valid as ${encoding}, which --encoding says it is` }
}

const notUtf16: InputProblem = {
  as: 'fail',
  type: 'not_utf16',
  message: 'it starts like UTF-16 but is not',
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
