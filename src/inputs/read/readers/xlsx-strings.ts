import { parseXml } from './parse-markup.ts'
import type { Zip } from './zip.ts'

/** Returns the strings that the sheets of a workbook share, without Japanese phonetic guides. */
export async function readSharedStrings(zip: Zip, part: string): Promise<readonly string[]> {
  const strings: string[] = []
  if (!zip.has(part)) return strings
  let [current, inText, phoneticDepth] = ['', false, 0]
  await parseXml(zip.streamPart(part), {
    onOpen(name) {
      if (name === 'si') current = ''
      if (name === 't') inText = true
      if (name === 'rPh') phoneticDepth++
    },
    onText(text) {
      if (inText && phoneticDepth === 0) current += text
    },
    onClose(name) {
      if (name === 't') inText = false
      if (name === 'rPh') phoneticDepth--
      if (name === 'si') strings.push(decodeEscapes(current))
    },
  })
  return strings
}

/** Returns a string of a workbook with its escapes decoded: `_x000D_` is a carriage return. */
export function decodeEscapes(text: string): string {
  return text.includes('_x')
    ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => {
        const char = String.fromCharCode(Number.parseInt(code, 16))
        return /[\0-\x1f\ud800-\udfff]/.test(char) ? ' ' : char
      })
    : text
}
