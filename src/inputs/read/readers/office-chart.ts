import { addChart, type Chart, createSeries } from './chart-text.ts'
import { formatNumber, type NumberFormat, parseNumberFormat, plainNumber } from './number-format.ts'
import { type MarkupHandler, parseXml } from './parse-markup.ts'
import type { TextBuilder } from './text-builder.ts'

/** Adds the text of a chart of an Office Open XML file: titles, and a table of its categories and values. */
export async function addChartText(content: AsyncIterable<string>, text: TextBuilder): Promise<void> {
  const chart: Chart = { titles: [], axisTitles: [], labels: [], series: [] }
  await parseXml(content, createChartHandler(chart))
  addChart(chart, text)
}

/** What text in a chart is part of. */
type Field = 'title' | 'name' | 'label' | 'categories' | 'values' | 'sizes'

const fieldByTag: ReadonlyMap<string, Field> = new Map([
  ['c:title', 'title'],
  ['cx:title', 'title'],
  ['c:tx', 'name'],
  ['cx:tx', 'name'],
  ['c:dLbl', 'label'],
  ['c:cat', 'categories'],
  ['c:xVal', 'categories'],
  ['cx:strDim', 'categories'],
  ['c:val', 'values'],
  ['c:yVal', 'values'],
  ['cx:numDim', 'values'],
  ['c:bubbleSize', 'sizes'],
])

const textTags: ReadonlySet<string> = new Set(['a:t', 'c:v', 'cx:v', 'cx:pt', 'c:formatCode'])

const numberTags: ReadonlySet<string> = new Set(['c:numCache', 'c:numLit', 'cx:numDim'])

/** Maximum levels of groups of categories. */
const maxLevels = 10

const axisTag = /^(?:c:(?:cat|val|date|ser)Ax|cx:axis)$/

interface ChartState {
  /** The field that the current text belongs to, and the tag that began it. */
  field: { readonly tag: string; readonly kind: Field; text: string } | undefined
  isInAxis: boolean
  /** The series whose name comes next, in a chart that lists its data first. */
  named: number
  point: number
  level: number
  /** Undefined for text. */
  format: NumberFormat | undefined
}

/** Returns a handler that collects the words and values of a chart. */
function createChartHandler(chart: Chart): MarkupHandler {
  const state: ChartState = {
    field: undefined,
    isInAxis: false,
    named: -1,
    point: 0,
    level: 0,
    format: undefined,
  }
  let current: string | undefined
  return {
    onOpen(name, { idx = '', formatCode }) {
      if (axisTag.test(name)) state.isInAxis = true
      if (name === 'c:ser' || name === 'cx:data') chart.series.push(createSeries())
      if (name === 'cx:series') state.named++
      const kind = fieldByTag.get(name)
      // The text of a title or a label is not a field in itself.
      if (kind !== undefined && state.field === undefined) {
        state.field = { tag: name, kind, text: '' }
        state.level = 0
        state.format = undefined
      }
      if (numberTags.has(name)) state.format = plainNumber
      if (name === 'cx:lvl' && formatCode !== undefined && state.format !== undefined)
        state.format = parseNumberFormat(formatCode)
      if (name === 'c:pt' || name === 'cx:pt') state.point = Number(idx) || 0
      current = textTags.has(name) ? '' : undefined
    },
    onText(words) {
      if (current !== undefined) current += words
    },
    onClose(name) {
      if (current !== undefined && state.field !== undefined) addText(name, current, chart, state)
      current = undefined
      if (name === 'a:p' && state.field !== undefined) state.field.text += ' '
      if (name === 'c:lvl' || name === 'cx:lvl') state.level++
      if (axisTag.test(name)) state.isInAxis = false
      if (name === state.field?.tag) {
        closeField(chart, state)
        state.field = undefined
      }
    },
  }
}

/** Stores one value, or collects the words of a title, a name or a label. */
function addText(tag: string, text: string, { series }: Chart, state: ChartState): void {
  const { field, point, level, format } = state
  if (tag === 'c:formatCode') {
    if (format !== undefined) state.format = parseNumberFormat(text)
    return
  }
  const last = series.at(-1)
  if (field === undefined || text.trim() === '') return
  const shown = format === undefined ? text : formatNumber(text, format)
  if (field.kind === 'values') last?.values.set(point, shown)
  else if (field.kind === 'sizes') last?.sizes.set(point, shown)
  else if (field.kind !== 'categories') field.text += text
  else if (last !== undefined && level < maxLevels) {
    while (last.categoryLevels.length <= level) last.categoryLevels.push(new Map())
    last.categoryLevels[level]?.set(point, shown)
  }
}

function closeField(chart: Chart, { field, isInAxis, named }: ChartState): void {
  const text = field?.text.replace(/\s+/g, ' ').trim() ?? ''
  if (field === undefined || text === '') return
  if (field.kind === 'title') (isInAxis ? chart.axisTitles : chart.titles).push(text)
  if (field.kind === 'label') chart.labels.push(text)
  const series = named === -1 ? chart.series.at(-1) : chart.series[named]
  if (field.kind === 'name' && series !== undefined) series.name = text
}
