/**
 * Returns a text as a quoted CSV cell (RFC 4180) that no spreadsheet reads as a formula: a text that could be
 * one gets an apostrophe before it. Line breaks become LF, and other control characters `\x1b`-style escapes.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
export function formatCsvCell(text: string): string {
  const shown = text.toWellFormed().replace(/\r\n?/g, '\n').replace(controlChars, escapeControlChar)
  return `"${formulaStart.test(shown) ? "'" : ''}${shown.replaceAll('"', '""')}"`
}

/**
 * A sign that begins a formula in some spreadsheet, a tab or a line break, after any white space, invisible
 * characters and quotes, which programs may remove. Quotes are included also because an apostrophe that was
 * added must differ from one that was there.
 */
const formulaStart = /^[\s\p{Cf}'"`‘’‚“”„]*(?:[\t\n]|[=+\-@＝＋－＠﹢﹣﹦﹫−])/u

const controlChars = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

function escapeControlChar(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
