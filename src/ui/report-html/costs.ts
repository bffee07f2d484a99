import type { Group, ReportFile } from '../../core/report/report-json.ts'
import { costWords, counted } from '../report-words.ts'
import { days } from './days.ts'
import { html, type Markup } from './html-template.ts'
import { shares } from './shares.ts'
import { wherein } from './wherein.ts'

const mostRows = 10

/** What the money went into; where no price is known, the tokens. */
export function costs({ by, totals }: ReportFile): Markup | undefined {
  const priced = (totals.cost_usd ?? 0) > 0
  if (!priced && totals.tokens_in + totals.tokens_out === 0) return undefined
  const [folder, ...others] = (['folder', 'model', 'prompt'] as const).map((what) =>
    by[what].length > 1 ? group(what, by[what], priced) : undefined,
  )
  const beside = others.filter((part) => part !== undefined)
  const parts = [
    by.day.length > 1 ? days(by.day, priced) : undefined,
    folder,
    beside.length > 0 ? html`<div class="stack">${beside}</div>` : undefined,
  ].filter((part) => part !== undefined)
  if (parts.length === 0) return undefined
  return html`<section><h2>${priced ? 'Cost' : 'Tokens'}</h2><div class="pair">${parts}</div></section>`
}

const words = {
  folder: ['folder', 'folders'],
  model: ['model', 'models'],
  prompt: ['prompt version', 'prompt versions'],
} as const

function group(what: keyof typeof words, groups: readonly Group[], priced: boolean): Markup {
  const [one, many] = words[what]
  const shown = groups.slice(0, groups.length > mostRows + 1 ? mostRows : groups.length)
  const rest = groups.slice(shown.length)
  const restUsd = rest.flatMap(({ cost_usd: usd }) => usd ?? [])
  const restCost = {
    cost_usd: restUsd.length === 0 ? null : restUsd.reduce((sum, usd) => sum + usd, 0),
    unknown_cost: rest.reduce((sum, { unknown_cost: count }) => sum + count, 0),
  }
  const restTokens = rest.reduce((sum, group) => sum + tokens(group), 0)
  const rows = shown.map((group) => ({
    name:
      what === 'folder' && group.name !== '.'
        ? wherein(group.name, `${group.name}/`)
        : html`<bdi>${group.name}</bdi>`,
    value: priced ? (group.cost_usd ?? 0) : tokens(group),
    text: priced ? costWords(group) : counted(tokens(group)),
  }))
  return html`<figure><figcaption><h3>By ${one}</h3></figcaption>${shares([one, priced ? 'cost' : 'tokens'], rows)}${
    rest.length === 0
      ? undefined
      : html`<p class="note">and ${counted(rest.length)} more ${many}: ${priced ? costWords(restCost) : counted(restTokens)}</p>`
  }</figure>`
}

function tokens({ tokens_in: input, tokens_out: output }: Group): number {
  return input + output
}
