/** Receives the tokens of an RTF file in order. */
export interface RtfHandler {
  openGroup(): void
  closeGroup(): void
  /** A control word, such as `\fs24`: its name, and its number if it has one. */
  control(word: string, parameter: number | undefined): void
  /** A control symbol, such as `\~`. */
  symbol(character: string): void
  /** A byte of text. */
  byte(value: number): void
  /** Whether all tokens except the sides of groups are ignored, so that pictures cost little time. */
  isSkipping(): boolean
}

const [openBrace, closeBrace, backslash, quote, space, hyphen] = [0x7b, 0x7d, 0x5c, 0x27, 0x20, 0x2d]

/** The longest name of a control word in the specification has fewer letters. */
const maxWordLetters = 64

/** Passes an RTF file to a handler token by token. */
export function readRtfTokens(bytes: Buffer, handler: RtfHandler): void {
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at++] as number
    if (byte === openBrace) handler.openGroup()
    else if (byte === closeBrace) handler.closeGroup()
    else if (byte === backslash) at = readControl(bytes, at, handler)
    // Line breaks only make the file readable; NUL bytes are padding.
    else if (byte !== 0x0d && byte !== 0x0a && byte !== 0 && !handler.isSkipping()) handler.byte(byte)
  }
}

/** Reads what follows a backslash. @returns where the next token begins */
function readControl(bytes: Buffer, start: number, handler: RtfHandler): number {
  const first = bytes[start]
  if (first === undefined) return start
  if (!isLetter(first)) return readSymbol(bytes, start, first, handler)
  let at = start
  while (at < bytes.length && at - start < maxWordLetters && isLetter(bytes[at] as number)) at++
  const word = bytes.toString('latin1', start, at)
  const numberAt = at
  if (bytes[at] === hyphen && isDigit(bytes[at + 1])) at++
  while (isDigit(bytes[at])) at++
  const parameter = at === numberAt ? undefined : Number(bytes.toString('latin1', numberAt, at))
  if (bytes[at] === space) at++
  if (word === 'bin') return at + Math.max(0, parameter ?? 0)
  handler.control(word, parameter)
  return at
}

function readSymbol(bytes: Buffer, at: number, first: number, handler: RtfHandler): number {
  if (first !== quote) {
    if (!handler.isSkipping()) handler.symbol(String.fromCharCode(first))
    return at + 1
  }
  const value = Number.parseInt(bytes.toString('latin1', at + 1, at + 3), 16)
  if (Number.isNaN(value)) return at + 1
  if (!handler.isSkipping()) handler.byte(value)
  return at + 3
}

function isLetter(byte: number): boolean {
  return (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a)
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}
