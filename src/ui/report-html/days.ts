import type { Group } from '../../core/report-file.ts'
import { costWords, counted, money } from '../report-words.ts'
import { columns, type Mark } from './columns.ts'
import { html, type Markup } from './markup.ts'

const day = 86_400_000

/** What each day took, those on which nothing was done among them. */
export function days(all: readonly Group[], priced: boolean): Markup | undefined {
  const groups = all.filter((group) => Number.isFinite(at(group)))
  if (groups.length < 2) return undefined
  const first = Math.min(...groups.map(at))
  const count = Math.max(...groups.map(at)) - first + 1
  const known = new Map(groups.map((group) => [at(group) - first, group]))
  const values = Array.from({ length: count }, (_, n) => {
    const group = known.get(n)
    return group === undefined ? 0 : value(group, priced)
  })
  const dearest = groups.reduce((most, group) => (value(group, priced) > value(most, priced) ? group : most))
  const words = `${said(dearest, priced)} on ${dearest.name}, the most`
  const what = priced ? 'Cost by day' : 'Tokens by day'
  const chart = columns({
    label: `${what}, from ${groups[0]?.name} to ${groups.at(-1)?.name}: ${words}.`,
    values,
    tip: (_, n) => {
      const group = known.get(n)
      return group === undefined
        ? ''
        : `${group.name}: ${said(group, priced)}, ${counted(group.summarized)} summarized`
    },
    scale: priced ? money : (value) => counted(value),
    axis: dates(first, count),
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

/** Up to five of them, under the middle of their columns. */
function dates(first: number, count: number): Mark[] {
  const step = Math.max(1, Math.ceil(count / 5))
  return Array.from({ length: Math.ceil(count / step) }, (_, n) => ({
    at: (n * step + 0.5) / count,
    text: new Date((first + n * step) * day).toISOString().slice(5, 10),
  }))
}
