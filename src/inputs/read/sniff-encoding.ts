/**
 * Returns the encoding of text whose bytes look like binary data or like ASCII: UTF-16 without a byte-order
 * mark, or ISO-2022-JP. Returns undefined for every other text.
 */
export function sniffEncoding(bytes: Buffer): 'utf-16le' | 'utf-16be' | 'iso-2022-jp' | undefined {
  if (!bytes.includes(0)) return isIso2022Jp(bytes) ? 'iso-2022-jp' : undefined
  if (bytes.length % 2 !== 0 || bytes.length < minUtf16Bytes) return undefined
  // The high byte of a space or a line end is zero; so is that of Latin letters.
  let [zerosAtEven, zerosAtOdd] = [0, 0]
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at + 1)) {
    if (at % 2 === 0) zerosAtEven++
    else zerosAtOdd++
  }
  const encoding = zerosAtOdd > zerosAtEven ? 'utf-16le' : 'utf-16be'
  const lowByteAt = encoding === 'utf-16le' ? 0 : 1
  return looksTwoByte(bytes, lowByteAt) && isPlainUtf16(bytes, encoding) ? encoding : undefined
}

/** Shorter data is text by chance too often. */
const minUtf16Bytes = 8

/**
 * Whether the bytes are unlike single-byte text with a few NUL bytes: many are control characters, as the
 * high bytes of alphabets are, or many low bytes are above 127, as those of Chinese characters are.
 */
function looksTwoByte(bytes: Buffer, lowByteAt: number): boolean {
  let [controls, highInLow] = [0, 0]
  for (const [at, byte] of bytes.entries()) {
    if (byte < 9 || (byte > 13 && byte < 32)) controls++
    if (byte > 127 && at % 2 === lowByteAt) highInLow++
  }
  return controls * 10 > bytes.length || highInLow * 8 > bytes.length
}

/** Whether the bytes are UTF-16 of characters that texts have: letters, punctuation, white space. */
function isPlainUtf16(bytes: Buffer, encoding: string): boolean {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    return !/[^\P{C}\t\n\f\r\p{Cf}]/u.test(text)
  } catch {
    return false
  }
}

/** Whether the text has an escape sequence for Japanese characters, and no byte above 127. */
function isIso2022Jp(bytes: Buffer): boolean {
  if (!japaneseEscapes.some((sequence) => bytes.includes(sequence, 0, 'latin1'))) return false
  try {
    new TextDecoder('iso-2022-jp', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** They switch to JIS X 0208 and to half-width katakana. */
const japaneseEscapes = ['\x1b$B', '\x1b$@', '\x1b(I']
