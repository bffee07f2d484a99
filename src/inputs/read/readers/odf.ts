import type { MarkedText } from '../../../core/document/mark.ts'
import { parseXml } from './parse-markup.ts'
import { createTextBuilder } from './text-builder.ts'
import { openZip } from './zip.ts'

/**
 * Returns the text of an OpenDocument file (text, presentation, spreadsheet): headings, lists, tables and
 * notes. Comments, tracked deletions and tables of contents are left out.
 */
export async function extractOdfText(bytes: Uint8Array): Promise<MarkedText> {
  const zip = await openZip(bytes)
  const text = createTextBuilder()
  let [hiddenDepth, paragraphDepth, cells, slides, rows] = [0, 0, 0, 0, 0]
  const lists: { readonly style: string; number: number }[] = []
  const numberedStyles = createNumberedListStyles()
  let [isListItemStart, isSpreadsheet] = [false, false]
  const addWords = (words: string) => {
    if (hiddenDepth === 0 && paragraphDepth > 0) text.addWords(words)
  }
  const addHeading = (title: string) => {
    text.addBreak(2)
    text.addMark('## ')
    text.addWords(title)
    text.addBreak(1)
  }
  if (zip.has('styles.xml')) await parseXml(zip.streamPart('styles.xml'), { onOpen: numberedStyles.observe })
  await parseXml(zip.streamPart('content.xml'), {
    onOpen(name, attributes) {
      numberedStyles.observe(name, attributes)
      if (nonContentTags.has(name)) hiddenDepth++
      if (hiddenDepth > 0) return
      if (name === 'office:spreadsheet') isSpreadsheet = true
      if (name === 'table:table') {
        text.addBreak(2)
        rows = 0
        if (isSpreadsheet) {
          text.markPosition('sheet', attributes['table:name'] ?? '')
          addHeading(attributes['table:name'] ?? '')
        }
      }
      if (name === 'draw:page') {
        text.markPosition('slide', String(++slides))
        addHeading(`Slide ${slides}`)
      }
      if (name === 'text:list') {
        if (lists.length === 0) text.addBreak(2)
        lists.push({ style: attributes['text:style-name'] ?? lists.at(-1)?.style ?? '', number: 1 })
      }
      if (name === 'text:list-item') isListItemStart = true
      if (name === 'table:table-row') {
        cells = 1
        text.startRow()
        if (isSpreadsheet) text.markPosition('row', String(rows + 1))
        rows += Number(attributes['table:number-rows-repeated']) || 1
      }
      if (name === 'table:table-cell') {
        if (cells++ > 1) text.startCell()
        // Repeated cells are stored once, with their number.
        const more = Number(attributes['table:number-columns-repeated'] ?? 1) - 1
        for (let n = 0; n < Math.min(more, maxEmptyCells); n++) text.startCell()
      }
      if (name === 'text:note-body') {
        addWords(' ')
        if (paragraphDepth > 0) text.addMark('(')
      }
      if (name === 'text:h' || name === 'text:p') {
        // A note's paragraphs are nested in the paragraph that refers to it.
        if (paragraphDepth++ > 0) return
        text.addBreak(lists.length > 0 || cells > 0 ? 1 : 2)
        if (name === 'text:h')
          text.addMark(`${'#'.repeat(parseHeadingLevel(attributes['text:outline-level']))} `)
        else if (isListItemStart) text.addMark(nextListMark(lists, numberedStyles))
        isListItemStart = false
      }
      if (name === 'text:s' || name === 'text:tab') addWords(' ')
      if (name === 'text:line-break') text.addBreak(1)
    },
    onText: addWords,
    onClose(name) {
      if (nonContentTags.has(name)) hiddenDepth--
      if (hiddenDepth > 0) return
      if (name === 'text:list') {
        lists.pop()
        if (lists.length === 0) text.addBreak(2)
      }
      if (name === 'table:table-row') {
        cells = 0
        text.startRow()
      }
      if (name === 'table:table') text.addBreak(2)
      if (name === 'text:note-body') addWords(') ')
      if (name === 'text:h' || name === 'text:p') paragraphDepth--
    },
  })
  return text.toMarkedText()
}

/** Collects which list styles number their items, and at which level. */
function createNumberedListStyles() {
  const levels = new Set<string>()
  let style = ''
  return {
    observe(name: string, attributes: Readonly<Record<string, string>>) {
      if (name === 'text:list-style') style = attributes['style:name'] ?? ''
      if (name === 'text:list-level-style-number' && attributes['style:num-format'] !== '')
        levels.add(`${style} ${attributes['text:level']}`)
    },
    has: (list: string, level: number) => levels.has(`${list} ${level}`),
  }
}

/**
 * Returns the mark of the next item in the innermost list: `- ` or its number, indented by two spaces for
 * each list around it.
 */
function nextListMark(
  lists: readonly { readonly style: string; number: number }[],
  numberedStyles: ReturnType<typeof createNumberedListStyles>,
): string {
  const list = lists.at(-1)
  const mark =
    list !== undefined && numberedStyles.has(list.style, lists.length) ? `${list.number++}. ` : '- '
  return '  '.repeat(Math.max(0, lists.length - 1)) + mark
}

/** Maximum number of consecutive empty cells that are shown; more are a gap in the sheet. */
const maxEmptyCells = 20

const nonContentTags: ReadonlySet<string> = new Set([
  'office:annotation',
  'text:tracked-changes',
  'text:table-of-content',
  'text:note-citation',
  'office:settings',
  'office:styles',
  'office:automatic-styles',
  'office:font-face-decls',
  'presentation:date-time-decl',
  'presentation:date-time',
  'presentation:footer-decl',
  'text:page-number',
])

function parseHeadingLevel(level = '1'): number {
  return Math.min(6, Math.max(1, Number.parseInt(level, 10) || 1))
}
