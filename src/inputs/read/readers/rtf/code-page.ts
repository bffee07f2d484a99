import { fixWindows1252 } from '../../windows-1252.ts'

/** Decodes text of one code page. */
export type DecodePage = (bytes: Uint8Array) => string

/** Returns the decoder of a Windows code page, such as 1251; of windows-1252 for one that is not known. */
export function findCodePage(page: number): DecodePage {
  const characters = oldPages.get(page)
  if (characters !== undefined)
    return (bytes) =>
      Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : characters[byte - 128])).join('')
  const label = labels.get(page) ?? (page >= 1250 && page <= 1258 ? `windows-${page}` : 'windows-1252')
  const decoder = new TextDecoder(label, { ignoreBOM: true })
  return label === 'windows-1252'
    ? (bytes) => fixWindows1252(decoder.decode(bytes))
    : (bytes) => decoder.decode(bytes)
}

/** Returns the code page of a font by its character set, as Windows numbers them; undefined for no certain one. */
export function findCharsetPage(charset: number): number | undefined {
  return pageByCharset.get(charset)
}

const labels: ReadonlyMap<number, string> = new Map([
  [866, 'ibm866'],
  [874, 'windows-874'],
  [932, 'shift_jis'],
  [936, 'gb18030'],
  [949, 'euc-kr'],
  [950, 'big5'],
  [1361, 'euc-kr'],
  [10_000, 'macintosh'],
  [10_001, 'shift_jis'],
  [10_002, 'big5'],
  [10_003, 'euc-kr'],
  [10_007, 'x-mac-cyrillic'],
  [10_008, 'gb18030'],
  [20_866, 'koi8-r'],
  [21_866, 'koi8-u'],
  [28_592, 'iso-8859-2'],
  [28_595, 'iso-8859-5'],
  [28_597, 'iso-8859-7'],
  [54_936, 'gb18030'],
  [65_001, 'utf-8'],
])

const pageByCharset: ReadonlyMap<number, number> = new Map([
  [0, 1252],
  [77, 10_000],
  [78, 10_001],
  [79, 10_003],
  [80, 10_008],
  [81, 10_002],
  [89, 10_007],
  [128, 932],
  [129, 949],
  [130, 1361],
  [134, 936],
  [136, 950],
  [161, 1253],
  [162, 1254],
  [163, 1258],
  [177, 1255],
  [178, 1256],
  [186, 1257],
  [204, 1251],
  [222, 874],
  [238, 1250],
  [254, 437],
  [255, 850],
])

/** The characters from 0x80 on of code pages of DOS, which browsers do not know. */
const oldPages: ReadonlyMap<number, string> = new Map([
  [
    437,
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  ],
  [
    850,
    'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
  ],
])
