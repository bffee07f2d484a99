import type { Group } from '../../core/report/report-json.ts'
import { costWords, counted, money } from '../report-words.ts'
import { columns, type Mark } from './columns.ts'
import { html, type Markup } from './html-template.ts'

const day = 86_400_000

/** More columns than this cannot be told apart, and one wrong date would make millions: days. */
const mostColumns = 1100

/** What each day took, those on which nothing was done among them unless they are too many. */
export function days(all: readonly Group[], priced: boolean): Markup | undefined {
  const groups = all.filter((group) => Number.isFinite(at(group)))
  if (groups.length < 2) return undefined
  const shown = columnsOf(groups)
  const values = shown.map(({ group }) => (group === undefined ? 0 : value(group, priced)))
  const dearest = groups.reduce((most, group) => (value(group, priced) > value(most, priced) ? group : most))
  const words = `${said(dearest, priced)} on ${dearest.name}, the most`
  const what = priced ? 'Cost by day' : 'Tokens by day'
  const chart = columns({
    label: `${what}, from ${groups[0]?.name} to ${groups.at(-1)?.name}: ${words}.`,
    values,
    tip: (_, n) => {
      const group = shown[n]?.group
      return group === undefined
        ? ''
        : `${group.name}: ${said(group, priced)}, ${counted(group.summarized)} summarized`
    },
    scale: priced ? money : (value) => counted(value),
    axis: dates(shown.map(({ name }) => name)),
  })
  return html`<figure class="wide"><figcaption><h3>By day</h3><p>${words}</p></figcaption>${chart}</figure>`
}

function at({ name }: Group): number {
  return Math.round(Date.parse(name) / day)
}

function value(group: Group, priced: boolean): number {
  return priced ? (group.cost_usd ?? 0) : group.tokens_in + group.tokens_out
}

function said(group: Group, priced: boolean): string {
  return priced ? costWords(group) : `${counted(value(group, false))} tokens`
}

interface Column {
  /** The date. */
  readonly name: string
  /** Undefined where nothing was done. */
  readonly group: Group | undefined
}

/** A column for each day from the first to the last, or, if these are too many, for the last days that have a group. */
function columnsOf(groups: readonly Group[]): Column[] {
  const first = groups.reduce((least, group) => Math.min(least, at(group)), Number.POSITIVE_INFINITY)
  const last = groups.reduce((most, group) => Math.max(most, at(group)), Number.NEGATIVE_INFINITY)
  if (last - first >= mostColumns)
    return groups.slice(-mostColumns).map((group) => ({ name: group.name, group }))
  const known = new Map(groups.map((group) => [at(group), group]))
  return Array.from({ length: last - first + 1 }, (_, n) => ({
    name: new Date((first + n) * day).toISOString().slice(0, 10),
    group: known.get(first + n),
  }))
}

/** Up to five of them, under the middle of their columns. */
function dates(names: readonly string[]): Mark[] {
  const count = names.length
  const step = Math.max(1, Math.ceil(count / 5))
  return Array.from({ length: Math.ceil(count / step) }, (_, n) => ({
    at: (n * step + 0.5) / count,
    text: (names[n * step] ?? '').slice(5),
  }))
}
