import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { chooseFence } from '../markdown.ts'

/**
 * Returns the Markdown of a model as a part of another Markdown document: emphasis, lists, tables and code stay.
 * Headings are moved below `topLevel`. HTML, links and pictures become text, and nothing stays open at the end.
 * @param topLevel the level of the highest heading of the text, from 1 to 6
 */
export function embedMarkdown(text: string, topLevel: number): string {
  const blocks = splitBlocks(escapeControlChars(text.replace(/\r\n?/g, '\n').trim(), '\n\t'))
  const highest = blocks.reduce((min, block) => ('level' in block ? Math.min(min, block.level) : min), 6)
  return blocks.map((block) => renderBlock(block, topLevel - highest)).join('\n')
}

/** A block of code, a heading, or a line of any other block. */
type Block =
  | { readonly code: string; readonly language: string }
  | { readonly level: number; readonly prefix: string; readonly heading: string }
  | { readonly line: string }

function splitBlocks(text: string): Block[] {
  const blocks: Block[] = []
  const lines = text.split('\n')
  /** The number of lines of the paragraph that ends here, and whether one can begin on the next line. */
  let [paragraphLines, canBegin] = [0, true]
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n] as string
    const fence = fencePattern.exec(line)
    const heading = headingPattern.exec(line)
    const underline = paragraphLines > 0 ? /^ {0,3}(=|-)\1*[ \t]*$/.exec(line) : null
    if (fence !== null) {
      const end = findFenceEnd(lines, n + 1, fence[2] as string)
      blocks.push(toCode(lines.slice(n + 1, end), fence))
      n = end
    } else if (heading !== null) {
      const [, prefix = '', marks = '', title = ''] = heading
      blocks.push({ level: marks.length, prefix, heading: title })
    } else if (underline !== null) {
      const title = lines.slice(n - paragraphLines, n).map((part) => part.trim())
      blocks.splice(-paragraphLines, paragraphLines)
      blocks.push({ level: underline[1] === '=' ? 1 : 2, prefix: '', heading: title.join(' ') })
    } else blocks.push({ line })
    const isText = fence === null && heading === null && underline === null
    const isParagraph = isText && (canBegin || paragraphLines > 0) && paragraphLine.test(line)
    paragraphLines = isParagraph ? paragraphLines + 1 : 0
    // Text right after a list or a quotation may belong to it.
    canBegin = !isText || line.trim() === ''
  }
  return blocks
}

/** The first line of a code block: its indentation, the delimiter, and the language. Lists indent code. */
const fencePattern = /^([ \t]*)(`{3,}(?=[^`]*$)|~{3,})[ \t]*(.*)$/

/** A heading that may be in a quotation or a list. */
const headingPattern = /^([ \t]*(?:(?:>|[-*+][ \t]|\d{1,9}[.)][ \t])[ \t]*)*)(#{1,6})(?=[ \t]|$)[ \t]*(.*)$/

/** A line that a heading may consist of if the next line underlines it: not blank, a list, a quotation or a table. */
const paragraphLine = /^(?!\d{1,9}[.)]\s)[^\s>|*+-]/

/** Returns the index of the line that closes a code block; the number of lines if none does. */
function findFenceEnd(lines: readonly string[], start: number, fence: string): number {
  for (let n = start; n < lines.length; n++) {
    const line = (lines[n] as string).trim()
    if (line.startsWith(fence) && line === fence.charAt(0).repeat(line.length)) return n
  }
  return lines.length
}

/**
 * Returns code without its indentation: at the beginning of a line it is code for every viewer, but in a list the
 * end of the list would end it. Of the words after the delimiter only the language stays, because pandoc would read
 * others as attributes, or the code as HTML.
 */
function toCode(lines: readonly string[], [, indentation = '', , words = '']: RegExpExecArray): Block {
  const width = indentation.length
  const code = lines.map((line) => line.slice(Math.min(width, line.length - line.trimStart().length)))
  return { code: code.join('\n'), language: /^[\w+#.-]+/.exec(words)?.[0] ?? '' }
}

function renderBlock(block: Block, shift: number): string {
  if ('code' in block) {
    const fence = chooseFence(block.code)
    // For some viewers, a paragraph does not end where code begins.
    return `\n${fence}${block.language}\n${block.code}\n${fence}`
  }
  if ('line' in block) return defuseInline(block.line).replace(underlinePattern, defuseUnderline)
  const marks = '#'.repeat(Math.min(6, Math.max(1, block.level + shift)))
  return `${block.prefix}${marks} ${defuseInline(block.heading)}`
}

/** A line that would make the text before it a heading, also in a quotation or a list. */
const underlinePattern = /^((?:[ \t]*(?:>|[-*+][ \t]|\d{1,9}[.)][ \t]))*[ \t]*)(=+|-+)[ \t]*$/

/** Returns another notation of a thematic break, or the characters as text. */
function defuseUnderline(_line: string, prefix: string, marks: string): string {
  return `${prefix}${marks.startsWith('---') ? '***' : `\\${marks}`}`
}

/** Characters. In longer lines, no code is recognized, because that could take quadratic time. */
const maxLineLength = 10_000

/**
 * Returns a line without HTML, links, pictures and attributes. Code that begins and ends on the line stays, unless it
 * contains a `|`, which may be the end of a table cell. All other backticks are escaped, so that they can neither
 * begin nor end code.
 */
function defuseInline(line: string): string {
  // Some viewers take the backtick after an address as a part of it. The code after it would then be markup.
  const hasAddress = /:\/\/|www\./i.test(line)
  // Others end emphasis inside code that begins with several backticks.
  const isCode = (found: string) => !/[<[\]{]/.test(found) || (!hasAddress && !found.startsWith('``'))
  const defuse = (found: string): string => {
    if (/^`+[^`]/.test(found)) return isCode(found) ? found : found.replace(markup, defuse)
    if (found.endsWith('`')) return '&#96;'.repeat(found.replace('\\', '').length)
    if (found.endsWith('<')) return '&lt;'
    return found.startsWith('\\') ? found : found.replace(/[[\]{]/g, '\\$&')
  }
  return line.replace(line.length > maxLineLength ? markup : codeOrMarkup, defuse)
}

const markup = /\\[!-/:-@[-`{-~]|`+|<|\](?=[(:])|\[\[|\{/g
const codeOrMarkup = new RegExp(`(?<![\`\\\\~])(\`+)(?!\`)[^|]+?(?<!\`)\\1(?!\`)|${markup.source}`, 'g')
