import { decodeSymbol } from './word-symbols.ts'

/** Maximum characters of a code that are kept. */
export const maxCodeChars = 4000

/**
 * Returns the text of a field that Word shows from its code, because it has no result: `EQ` (equations and
 * readings above a text), `SYMBOL` and `MACROBUTTON`; nothing for other fields.
 */
export function showFieldCode(code: string): string {
  const [, name = '', rest = ''] = /^\s*(\w+)\s+([\s\S]*)$/.exec(code.slice(0, maxCodeChars)) ?? []
  if (/^EQ$/i.test(name)) return showEquation(rest)
  if (/^MACROBUTTON$/i.test(name)) return rest.replace(/^\S+\s*/, '').trim()
  return /^SYMBOL$/i.test(name) ? showSymbol(rest) : ''
}

function showSymbol(options: string): string {
  const [, hex, decimal = ''] = /^(?:0x([\da-f]{1,4})|(\d{1,5}))/i.exec(options) ?? []
  const font = /\\f\s+"?([^"\\]+)"?/.exec(options)?.[1]?.trim() ?? ''
  return decodeSymbol(hex ?? Number(decimal).toString(16), font)
}

/** Shows fractions as `a/b`, readings (`\o\ad(\s\up 9(reading),base)`) as `base(reading)`, others as they are. */
function showEquation(options: string): string {
  const reading = /\\o\s*(?:\\a[lcrd]\s*)?\(\s*\\s\s*\\up\s*-?\d*\s*\(([^()]*)\)\s*[,;]\s*([^()]*)\)/i.exec(
    options,
  )
  if (reading !== null) return `${reading[2]?.trim()}(${reading[1]?.trim()})`
  return options
    .replace(/\\\*\s*(?:"[^"]*"|\S+)/g, '')
    .replace(/\\f\s*\(([^(),;]*)[,;]([^(),;]*)\)/gi, '$1/$2')
    .replace(/\\r\s*\(([^(),;]*)\)/gi, '√($1)')
    .replace(/\\[a-z]+\s?-?\d*/gi, '')
    .replace(/\\(.)/g, '$1')
    .trim()
}
