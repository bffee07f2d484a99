import { codePoint } from 'dingbat-to-unicode'

/**
 * Returns a text in which characters of symbol fonts, which Word stores in a private range of Unicode, are
 * replaced by the characters that they look like. Library: dingbat-to-unicode, which knows Symbol, Webdings
 * and Wingdings.
 */
export function replaceSymbols(text: string, font: string): string {
  return /[\uf020-\uf0ff]/.test(text)
    ? text.replace(/[\uf020-\uf0ff]/g, (character) => findSymbol(character.charCodeAt(0), font) ?? character)
    : text
}

/** Returns the character of a `<w:sym>`; nothing if the font is not known. @param code hexadecimal */
export function decodeSymbol(code: string, font: string): string {
  const number = Number.parseInt(code, 16)
  if (Number.isNaN(number) || number > 0xffff) return ''
  const symbol = findSymbol(number, font)
  return symbol ?? (number < 0xf000 && number >= 0x20 ? String.fromCharCode(number) : '')
}

function findSymbol(code: number, font: string): string | undefined {
  const byte = code >= 0xf000 ? code - 0xf000 : code
  return codePoint(font, byte)?.string ?? (code >= 0xf000 ? codePoint('Symbol', byte)?.string : undefined)
}
