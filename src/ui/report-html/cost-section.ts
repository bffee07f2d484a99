import type { ReportGroup, ReportJson } from '../../core/report/report-json.ts'
import { formatCost, formatCount, markSimulated } from '../report-format.ts'
import { renderBarTable } from './bar-table.ts'
import { renderCostByDay } from './cost-by-day.ts'
import { renderDocumentFilterLink } from './document-filter-link.ts'
import { html, type Markup } from './html-template.ts'

const maxRows = 10

/** Renders costs by day, folder, model and prompt; tokens if no price is known. */
export function renderCosts({ groups, totals, simulated }: ReportJson): Markup | undefined {
  const isPriced = (totals.cost_usd ?? 0) > 0
  if (!isPriced && totals.input_tokens + totals.output_tokens === 0) return undefined
  const [folder, ...others] = (['folder', 'model', 'prompt'] as const).map((what) =>
    groups[what].length > 1 ? renderGroups(what, groups[what], isPriced, simulated) : undefined,
  )
  const stacked = others.filter((part) => part !== undefined)
  const parts = [
    groups.day.length > 1 ? renderCostByDay(groups.day, isPriced, simulated) : undefined,
    folder,
    stacked.length > 0 ? html`<div class="stack">${stacked}</div>` : undefined,
  ].filter((part) => part !== undefined)
  if (parts.length === 0) return undefined
  return html`<section><h2>${isPriced ? `Cost${markSimulated(simulated)}` : 'Tokens'}</h2><div class="pair">${parts}</div></section>`
}

const groupNouns = {
  folder: ['folder', 'folders'],
  model: ['model', 'models'],
  prompt: ['prompt version', 'prompt versions'],
} as const

function renderGroups(
  groupedBy: keyof typeof groupNouns,
  groups: readonly ReportGroup[],
  isPriced: boolean,
  simulated: boolean,
): Markup {
  const [one, many] = groupNouns[groupedBy]
  const shown = groups.slice(0, groups.length > maxRows + 1 ? maxRows : groups.length)
  const rest = groups.slice(shown.length)
  const restUsd = rest.flatMap(({ cost_usd: usd }) => usd ?? [])
  const restCost = {
    cost_usd: restUsd.length === 0 ? null : restUsd.reduce((sum, usd) => sum + usd, 0),
    simulated,
    documents_with_unknown_cost: rest.reduce((sum, { documents_with_unknown_cost: count }) => sum + count, 0),
  }
  const restTokens = rest.reduce((sum, group) => sum + sumTokens(group), 0)
  const rows = shown.map((group) => ({
    name:
      groupedBy === 'folder' && group.name !== '.'
        ? renderDocumentFilterLink(group.name, `${group.name}/`)
        : html`<bdi>${group.name}</bdi>`,
    value: isPriced ? (group.cost_usd ?? 0) : sumTokens(group),
    text: isPriced ? formatCost({ ...group, simulated }) : formatCount(sumTokens(group)),
  }))
  return html`<figure><figcaption><h3>By ${one}</h3></figcaption>${renderBarTable([one, isPriced ? 'cost' : 'tokens'], rows)}${
    rest.length === 0
      ? undefined
      : html`<p class="note">and ${formatCount(rest.length)} more ${many}: ${isPriced ? formatCost(restCost) : formatCount(restTokens)}</p>`
  }</figure>`
}

function sumTokens({ input_tokens: input, output_tokens: output }: ReportGroup): number {
  return input + output
}
