import { markdownMarker } from '../core/report/generated-marker.ts'
import type { DocumentRow, ReportGroup, ReportJson } from '../core/report/report-json.ts'
import { describePrompt } from './describe-prompt.ts'
import { escapeMarkdown, renderCodeBlock, renderInlineCode, renderMarkdownTable } from './markdown.ts'
import { getExact } from './quantity.ts'
import { buildFigures, listRemarks } from './report-figures.ts'
import {
  formatCost,
  formatCount,
  formatMs,
  formatTimestamp,
  formatTokens,
  statusLabels,
} from './report-format.ts'
import { describeRuns, getHeadline } from './report-headline.ts'
import { computeTimeShares, describeTurnWait } from './time-shares.ts'

/** Few viewers show longer tables well. */
const maxRows = 1000
const maxGroups = 20

/** Returns a report as one Markdown file. */
export function renderReportMarkdown(report: ReportJson): string {
  const parts = [
    markdownMarker,
    `# ${getHeadline(report)}\n`,
    ...(report.runs.length === 0 ? [] : renderSummary(report)),
    ...renderTimes(report),
    ...renderCosts(report),
    ...renderErrors(report),
    ...renderRuns(report),
    ...renderDocuments(report),
    `Created by claude-batch ${escapeMarkdown(report.program_version)}, ${formatTimestamp(report.created_at)}. All times are UTC.\n`,
  ]
  return parts.join('\n')
}

function renderSummary(report: ReportJson): string[] {
  const list = buildFigures(report).map(
    ({ name, value, notes }) =>
      `- **${name}** ${escapeMarkdown(getExact(value))}${notes.length === 0 ? '' : ` (${notes.map((note) => escapeMarkdown(getExact(note))).join('; ')})`}\n`,
  )
  return [
    `${describeRuns(report).map(escapeMarkdown).join(' · ')}\n`,
    list.join(''),
    ...listRemarks(report).map((text) => `${escapeMarkdown(text)}\n`),
  ]
}

function renderTimes({ latency, ...report }: ReportJson): string[] {
  const rows = computeTimeShares(report).map(({ name, share, each }) => [name, share, each])
  if (rows.length === 0) return []
  const spread =
    latency === null
      ? []
      : [
          `API latency: p50 ${formatMs(latency.p50_ms)}, p95 ${formatMs(latency.p95_ms)}, p99 ${formatMs(latency.p99_ms)}, max ${formatMs(latency.max_ms)}.\n`,
        ]
  const turnWait = describeTurnWait(report)
  const notes = [...(turnWait === undefined ? [] : [`${turnWait}\n`]), ...spread]
  return ['## Time\n', renderMarkdownTable(['Document time', 'Share', 'Mean'], rows), ...notes]
}

function renderCosts({ groups: by, simulated }: ReportJson): string[] {
  const parts = [
    ['day', 'Day'],
    ['folder', 'Folder'],
    ['model', 'Model'],
    ['prompt', 'Prompt'],
  ] as const
  const tables = parts
    .filter(([what]) => by[what].length > 1)
    .map(([what, head]) => renderGroups(head, by[what], what, simulated))
  return tables.length === 0 ? [] : ['## Cost\n', ...tables]
}

function renderGroups(head: string, all: readonly ReportGroup[], what: string, simulated: boolean): string {
  const rows = all
    .slice(0, what === 'day' ? maxRows : maxGroups)
    .map((group) => [
      renderInlineCode(group.name),
      formatCount(group.summarized),
      formatCount(group.failed),
      formatTokens(group, 'in'),
      formatTokens(group, 'out'),
      formatCost({ ...group, simulated }),
    ])
  const shown = renderMarkdownTable([head, 'Summarized', 'Failed', 'Tokens in', 'Out', 'Cost'], rows)
  return `${shown}${formatRemainder(all.length - rows.length)}`
}

function renderErrors({ errors }: ReportJson): string[] {
  if (errors.length === 0) return []
  const rows = errors.slice(0, maxRows).map(({ error, count, transient, example_paths: paths }) => {
    const more = count - paths.length
    const where = `${paths.map(renderInlineCode).join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`
    return [renderInlineCode(error), formatCount(count), transient ? 'yes' : 'no', where]
  })
  return [
    '## Errors\n',
    `${renderMarkdownTable(['Error', 'Documents', 'Retryable', 'In'], rows)}${formatRemainder(errors.length - rows.length)}`,
  ]
}

function renderRuns({ runs }: ReportJson): string[] {
  if (runs.length < 2) return []
  const rows = [...runs]
    .reverse()
    .slice(0, maxRows)
    .map((run) => [
      formatTimestamp(run.started_at),
      renderInlineCode(describePrompt(run)),
      `${renderInlineCode(run.model)}${run.simulated ? ', simulated' : ''}`,
      formatCount(run.summarized),
      formatCount(run.failed),
      formatTokens(run, 'in'),
      formatTokens(run, 'out'),
      formatMs(run.duration_ms),
      formatCost(run),
    ])
  const head = ['Started', 'Prompt', 'Model', 'Done', 'Failed', 'Tokens in', 'Out', 'Time', 'Cost']
  return ['## Runs\n', `${renderMarkdownTable(head, rows)}${formatRemainder(runs.length - rows.length)}`]
}

function renderDocuments({ documents }: ReportJson): string[] {
  if (documents.length === 0) return []
  const shown = documents.slice(0, maxRows)
  const rows = shown.map((row) => [
    renderInlineCode(row.path),
    row.error === null ? statusLabels[row.status] : `failed: ${renderInlineCode(row.error)}`,
    formatCount(row.input_tokens),
    formatCount(row.output_tokens),
    formatMs(row.latency_ms),
    formatCost({ ...row, documents_with_unknown_cost: row.replies_with_unknown_cost }),
  ])
  const head = ['Document', 'Status', 'Tokens in', 'Out', 'Latency', 'Cost']
  const texts = shown.flatMap(renderText)
  return [
    '## Documents\n',
    `${renderMarkdownTable(head, rows)}${formatRemainder(documents.length - rows.length)}`,
    ...(texts.length === 0 ? [] : ['## Texts\n', ...texts]),
  ]
}

function renderText({ path, output_text: text }: DocumentRow): string[] {
  return text === undefined ? [] : [`### ${renderInlineCode(path)}\n\n${renderCodeBlock(text)}\n`]
}

function formatRemainder(count: number): string {
  return count > 0 ? `\nand ${formatCount(count)} more\n` : ''
}
