import { paragraphs } from './paragraphs.ts'
import { readXml } from './parse-markup.ts'
import { openZip } from './zip.ts'

/**
 * The text of an OpenDocument file (text, presentation, spreadsheet): headings, lists, tables and notes. Comments,
 * what tracked changes took away, and tables of contents are left out.
 */
export async function odfText(bytes: Uint8Array): Promise<string> {
  const zip = await openZip(bytes)
  const text = paragraphs()
  let [hidden, paragraph, cells, slides] = [0, 0, 0, 0]
  const lists: { readonly style: string; number: number }[] = []
  const counted = countedLists()
  let [item, sheets] = [false, false]
  const words = (it: string) => {
    if (hidden === 0 && paragraph > 0) text.words(it)
  }
  const titled = (title: string) => {
    text.break(2)
    text.mark('## ')
    text.words(title)
    text.break(1)
  }
  if (zip.has('styles.xml')) await readXml(zip.parts('styles.xml'), { open: counted.sees })
  await readXml(zip.parts('content.xml'), {
    open(name, attributes) {
      counted.sees(name, attributes)
      if (neverContent.has(name)) hidden++
      if (hidden > 0) return
      if (name === 'office:spreadsheet') sheets = true
      if (name === 'table:table') {
        text.break(2)
        if (sheets) titled(attributes['table:name'] ?? '')
      }
      if (name === 'draw:page') titled(`Slide ${++slides}`)
      if (name === 'text:list') {
        if (lists.length === 0) text.break(2)
        lists.push({ style: attributes['text:style-name'] ?? lists.at(-1)?.style ?? '', number: 1 })
      }
      if (name === 'text:list-item') item = true
      if (name === 'table:table-row') {
        cells = 1
        text.row()
      }
      if (name === 'table:table-cell') {
        if (cells++ > 1) text.cell()
        // Empty ones stand once, with their number.
        const more = Number(attributes['table:number-columns-repeated'] ?? 1) - 1
        for (let n = 0; n < Math.min(more, mostEmpty); n++) text.cell()
      }
      if (name === 'text:note-body') {
        words(' ')
        if (paragraph > 0) text.mark('(')
      }
      if (name === 'text:h' || name === 'text:p') {
        // A note's paragraphs stand within the one it belongs to.
        if (paragraph++ > 0) return
        text.break(lists.length > 0 || cells > 0 ? 1 : 2)
        if (name === 'text:h') text.mark(`${'#'.repeat(levelOf(attributes['text:outline-level']))} `)
        else if (item) text.mark(markOf(lists, counted))
        item = false
      }
      if (name === 'text:s' || name === 'text:tab') words(' ')
      if (name === 'text:line-break') text.break(1)
    },
    text: words,
    close(name) {
      if (neverContent.has(name)) hidden--
      if (hidden > 0) return
      if (name === 'text:list') {
        lists.pop()
        if (lists.length === 0) text.break(2)
      }
      if (name === 'table:table-row') {
        cells = 0
        text.row()
      }
      if (name === 'table:table') text.break(2)
      if (name === 'text:note-body') words(') ')
      if (name === 'text:h' || name === 'text:p') paragraph--
    },
  })
  return text.text()
}

/** Which styles of lists count their items, at which level. */
function countedLists() {
  const levels = new Set<string>()
  let style = ''
  return {
    sees(name: string, attributes: Readonly<Record<string, string>>) {
      if (name === 'text:list-style') style = attributes['style:name'] ?? ''
      if (name === 'text:list-level-style-number' && attributes['style:num-format'] !== '')
        levels.add(`${style} ${attributes['text:level']}`)
    },
    has: (list: string, level: number) => levels.has(`${list} ${level}`),
  }
}

/** Of an item of the innermost list: `- ` or its number, set in by two spaces for each list around it. */
function markOf(
  lists: readonly { readonly style: string; number: number }[],
  counted: ReturnType<typeof countedLists>,
): string {
  const list = lists.at(-1)
  const mark = list !== undefined && counted.has(list.style, lists.length) ? `${list.number++}. ` : '- '
  return '  '.repeat(Math.max(0, lists.length - 1)) + mark
}

/** Empty cells in a row that are shown as such; more are a hole in the sheet. */
const mostEmpty = 20

const neverContent: ReadonlySet<string> = new Set([
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

function levelOf(level = '1'): number {
  return Math.min(6, Math.max(1, Number.parseInt(level, 10) || 1))
}
