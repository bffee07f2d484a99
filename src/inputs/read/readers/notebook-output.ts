import { imageMark } from '../omit-encoded-data.ts'
import { extractHtmlText } from './html-reader.ts'

/**
 * Returns the text of one output of a notebook: an error, what was printed, or a result. A result is often
 * stored in several formats, and its plain text may only name an object, such as
 * `<IPython.core.display.HTML object>`. An image becomes `[image]`.
 */
export async function readOutput(output: Record<string, unknown>): Promise<string> {
  const { ename, evalue, text, data } = output
  if (ename !== undefined) return cleanTerminalText(`${joinLines(ename)}: ${joinLines(evalue)}`)
  const isError = output['output_type'] === 'error' || output['output_type'] === 'pyerr'
  if (isError) return cleanTerminalText(joinLines(output['traceback']))
  // Up to format 3, the formats are keys of the output.
  return readResult(data === undefined ? renameFormats(output) : toObject(data), joinLines(text))
}

async function readResult(formats: Record<string, unknown>, printed: string): Promise<string> {
  const plain = cleanTerminalText(joinLines(formats['text/plain']) || printed)
  if (plain.trim() !== '' && !objectPattern.test(plain)) return plain
  const markdown = joinLines(formats['text/markdown']).trim()
  if (markdown !== '') return markdown
  const html = joinLines(formats['text/html'])
  const htmlText = html === '' ? '' : (await extractHtmlText(html, { title: false })).trim()
  if (htmlText !== '') return htmlText
  const latex = joinLines(formats['text/latex']).trim()
  if (latex !== '') return latex
  if (Object.keys(formats).some((format) => format.startsWith('image/')) || /<img\b|<svg\b/i.test(html))
    return imageMark
  const json = formats['application/json']
  if (json !== undefined) return JSON.stringify(json)
  return /^\s*<IPython\./.test(plain) ? '' : plain
}

/** Matches what Python prints for an object without a text. */
const objectPattern = /^\s*<[^<>\n]{1,300}>\s*$/

function renameFormats(output: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(formatsByOldName).flatMap(([oldName, format]) =>
      output[oldName] === undefined ? [] : [[format, output[oldName]]],
    ),
  )
}

const formatsByOldName: Readonly<Record<string, string>> = {
  text: 'text/plain',
  html: 'text/html',
  latex: 'text/latex',
  json: 'application/json',
  png: 'image/png',
  jpeg: 'image/jpeg',
  svg: 'image/svg+xml',
}

/**
 * Returns what a terminal shows at the end: without colors, and of a line that was overwritten, as progress
 * bars are, only the last version.
 */
function cleanTerminalText(text: string): string {
  const plain = text.replace(/\x1b\[[0-9;?]{0,30}[A-Za-z]/g, '').replaceAll('\r\n', '\n')
  if (!plain.includes('\r')) return plain
  return plain
    .split('\n')
    .map((line) => line.replace(/\r+$/, '').split('\r').at(-1) ?? '')
    .join('\n')
}

/** Returns a text that a notebook stores as one string or as a list of lines. */
export function joinLines(value: unknown): string {
  return typeof value === 'string'
    ? value
    : toList(value)
        .filter((line) => typeof line === 'string')
        .join('')
}

/** Returns the value if it is a list, otherwise an empty list. */
export function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Returns the value if it is an object, otherwise an empty object. */
export function toObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
