import { type DecodePage, findCharsetPage, findCodePage } from './code-page.ts'

/** The fonts of a file: how their bytes are decoded. */
export interface RtfFonts {
  /** Begins or continues the definition of a font. */
  define(font: number): void
  setCharset(charset: number): void
  setCodePage(page: number): void
  addToName(character: string): void
  /** Sets the code page of text whose font does not say it. */
  setDefaultPage(page: number): void
  /** Returns the name of a font. */
  nameOf(font: number): string
  /** Returns the decoder of text in a font. */
  decoderOf(font: number): DecodePage
}

interface Font {
  name: string
  page: number | undefined
  isSymbol: boolean
}

/** Character set of fonts whose bytes are pictures. */
const symbolCharset = 2

/** Returns the table of fonts of a file that has defined none yet. */
export function createRtfFonts(): RtfFonts {
  const fonts = new Map<number, Font>()
  const decoders = new Map<number, DecodePage>()
  let defaultPage = 1252
  let current: Font = { name: '', page: undefined, isSymbol: false }
  const findDecoder = (page: number): DecodePage => {
    const decoder = decoders.get(page) ?? findCodePage(page)
    decoders.set(page, decoder)
    return decoder
  }
  return {
    define(font) {
      current = fonts.get(font) ?? { name: '', page: undefined, isSymbol: false }
      fonts.set(font, current)
    },
    setCharset(charset) {
      current.isSymbol = charset === symbolCharset
      current.page ??= findCharsetPage(charset)
    },
    setCodePage(page) {
      current.page = page
    },
    addToName(character) {
      if (character !== ';' && current.name.length < maxNameChars) current.name += character
    },
    setDefaultPage(page) {
      defaultPage = page
    },
    nameOf: (font) => fonts.get(font)?.name.trim() ?? '',
    decoderOf(font) {
      const found = fonts.get(font)
      return found?.isSymbol ? decodeSymbols : findDecoder(found?.page ?? defaultPage)
    },
  }
}

const maxNameChars = 100

/** Returns characters in the range of Unicode where programs place those of symbol fonts. */
function decodeSymbols(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x21 ? byte : 0xf000 + byte)).join('')
}
