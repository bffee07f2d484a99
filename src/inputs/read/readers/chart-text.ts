import type { TextBuilder } from './text-builder.ts'

/** The words and values of a chart. */
export interface Chart {
  readonly titles: string[]
  readonly axisTitles: string[]
  /** Labels of single points that are not their values. */
  readonly labels: string[]
  readonly series: ChartSeries[]
}

/** One row of points in a chart; the points have numbers. */
export interface ChartSeries {
  name: string
  /** Several if categories are in groups, the outermost last. */
  readonly categoryLevels: Map<number, string>[]
  readonly values: Map<number, string>
  /** The sizes of bubbles. */
  readonly sizes: Map<number, string>
}

/** Returns a series without points. */
export function createSeries(): ChartSeries {
  return { name: '', categoryLevels: [], values: new Map(), sizes: new Map() }
}

/** Adds a chart as its title, and a table with a row for each category and a column for each series. */
export function addChart({ titles, axisTitles, labels, series }: Chart, text: TextBuilder): void {
  const addLine = (label: string, words: readonly string[]) => {
    if (words.length === 0) return
    text.addBreak(1)
    text.addWords(`${label}: ${words.join(', ')}`)
  }
  addLine('Chart', titles)
  addLine('Axes', axisTitles)
  for (const group of groupSeries(series)) addSeriesTable(group, text)
  addLine('Labels', labels)
}

/**
 * Returns groups of series that have the same categories. Series without categories are in the first group.
 * A group is split if few of its cells would have a value.
 */
function groupSeries(series: readonly ChartSeries[]): readonly (readonly ChartSeries[])[] {
  const groups = new Map<string, ChartSeries[]>()
  for (const one of series) {
    const labels = listCategories(one)
    const key = labels.size === 0 ? ([...groups.keys()][0] ?? '') : JSON.stringify([...labels])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [one])
    else group.push(one)
  }
  return [...groups.values()].flatMap((group) => {
    const points = group.reduce((sum, { values }) => sum + values.size, 0)
    return group.length * listPoints(group).length > 4 * points + 10_000 ? group.map((one) => [one]) : [group]
  })
}

function addSeriesTable(group: readonly ChartSeries[], text: TextBuilder): void {
  const categories = listCategories(group.find(({ categoryLevels }) => categoryLevels.length > 0))
  const columns = group.flatMap(({ name, values, sizes }) =>
    sizes.size === 0
      ? [{ name, values }]
      : [
          { name, values },
          { name: `${name} (size)`.trim(), values: sizes },
        ],
  )
  text.startTable()
  addRow(text, ['', ...columns.map(({ name }) => name)])
  for (const point of listPoints(group))
    addRow(text, [categories.get(point) ?? '', ...columns.map(({ values }) => values.get(point) ?? '')])
  text.endTable()
}

function addRow(text: TextBuilder, cells: readonly string[]): void {
  text.startRow()
  for (const cell of cells) {
    text.startCell()
    text.addWords(cell)
    text.endCell()
  }
  text.endRow()
}

/** Returns the numbers of all points of a group in order. */
function listPoints(group: readonly ChartSeries[]): readonly number[] {
  const points = new Set<number>()
  for (const { values, categoryLevels } of group) {
    for (const point of values.keys()) points.add(point)
    for (const point of categoryLevels[0]?.keys() ?? []) points.add(point)
  }
  return [...points].sort((a, b) => a - b)
}

/** Returns the categories of the points, each with the groups that it is in. */
function listCategories(series: ChartSeries | undefined): ReadonlyMap<number, string> {
  const [inner, ...outer] = series?.categoryLevels ?? []
  if (inner === undefined || outer.length === 0) return inner ?? new Map()
  // A group has a label only at its first point.
  const current = outer.map(() => '')
  const categories = new Map<number, string>()
  for (const point of [...inner.keys()].sort((a, b) => a - b)) {
    for (const [level, labels] of outer.entries()) current[level] = labels.get(point) ?? current[level] ?? ''
    categories.set(point, [...[...current].reverse(), inner.get(point) ?? ''].join(' ').trim())
  }
  return categories
}
