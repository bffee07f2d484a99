import { markdownMarker } from '../core/document/generated-marker.ts'
import type { DocumentRow, Group, ReportFile } from '../core/report/report-json.ts'
import { code, codeBlock, inline, table } from './markdown.ts'
import { figures, headline, remarks, setting } from './report-figures.ts'
import { timeParts } from './report-time.ts'
import { costWords, counted, instant, ms, statusWords, tokens } from './report-words.ts'

/** More than this nobody reads, and few viewers show. */
const mostRows = 1000
const mostGroups = 20

/** A report as one Markdown file. */
export function reportMarkdown(report: ReportFile): string {
  const parts = [
    markdownMarker,
    `# ${headline(report)}\n`,
    ...(report.runs.length === 0 ? [] : summary(report)),
    ...times(report),
    ...costs(report),
    ...errors(report),
    ...runs(report),
    ...documents(report),
    `Made by claude-batch ${inline(report.program)}, ${instant(report.made)}. All times are UTC.\n`,
  ]
  return parts.join('\n')
}

function summary(report: ReportFile): string[] {
  const list = figures(report).map(
    ({ name, value, notes }) =>
      `- **${name}** ${inline(value)}${notes.length === 0 ? '' : ` (${notes.map(inline).join('; ')})`}\n`,
  )
  return [
    `${setting(report).map(inline).join(' · ')}\n`,
    list.join(''),
    ...remarks(report).map((text) => `${inline(text)}\n`),
  ]
}

function times({ latency, ...report }: ReportFile): string[] {
  const rows = timeParts(report).map(({ name, share, each }) => [name, share, each])
  if (rows.length === 0) return []
  const spread =
    latency === null
      ? []
      : [
          `Latency of the service: p50 ${ms(latency.p50)}, p95 ${ms(latency.p95)}, p99 ${ms(latency.p99)}, the slowest ${ms(latency.most)}.\n`,
        ]
  return ['## Time\n', table(['of the time of documents', 'share', 'mean'], rows), ...spread]
}

function costs({ by }: ReportFile): string[] {
  const parts = [
    ['day', 'Day'],
    ['folder', 'Folder'],
    ['model', 'Model'],
    ['prompt', 'Prompt'],
  ] as const
  const tables = parts
    .filter(([what]) => by[what].length > 1)
    .map(([what, head]) => groups(head, by[what], what))
  return tables.length === 0 ? [] : ['## Cost\n', ...tables]
}

function groups(head: string, all: readonly Group[], what: string): string {
  const rows = all
    .slice(0, what === 'day' ? mostRows : mostGroups)
    .map((group) => [
      code(group.name),
      counted(group.summarized),
      counted(group.failed),
      tokens(group, 'in'),
      tokens(group, 'out'),
      costWords(group),
    ])
  const shown = table([head, 'Summarized', 'Failed', 'Tokens in', 'Out', 'Cost'], rows)
  return `${shown}${andMore(all.length - rows.length)}`
}

function errors({ errors }: ReportFile): string[] {
  if (errors.length === 0) return []
  const rows = errors.slice(0, mostRows).map(({ error, count, transient, paths }) => {
    const more = count - paths.length
    const where = `${paths.map(code).join(', ')}${more > 0 ? ` and ${counted(more)} more` : ''}`
    return [code(error), counted(count), transient ? 'yes' : 'no', where]
  })
  return [
    '## Errors\n',
    `${table(['Error', 'Documents', 'Worth running again', 'In'], rows)}${andMore(errors.length - rows.length)}`,
  ]
}

function runs({ runs }: ReportFile): string[] {
  if (runs.length < 2) return []
  const rows = [...runs]
    .reverse()
    .slice(0, mostRows)
    .map((run) => [
      instant(run.began),
      code(run.prompt),
      `${code(run.model)}${run.simulated ? ', simulated' : ''}`,
      counted(run.summarized),
      counted(run.failed),
      tokens(run, 'in'),
      tokens(run, 'out'),
      ms(run.wall_ms),
      costWords(run),
    ])
  const head = ['Began', 'Prompt', 'Model', 'Done', 'Failed', 'Tokens in', 'Out', 'Time', 'Cost']
  return ['## Runs\n', `${table(head, rows)}${andMore(runs.length - rows.length)}`]
}

function documents({ documents }: ReportFile): string[] {
  if (documents.length === 0) return []
  const shown = documents.slice(0, mostRows)
  const rows = shown.map((row) => [
    code(row.path),
    row.error === null ? statusWords[row.status] : `failed: ${code(row.error)}`,
    counted(row.tokens_in),
    counted(row.tokens_out),
    ms(row.latency_ms),
    costWords({ cost_usd: row.cost_usd, unknown_cost: row.uncounted }),
  ])
  const head = ['Document', 'Status', 'Tokens in', 'Out', 'Latency', 'Cost']
  const texts = shown.flatMap(text)
  return [
    '## Documents\n',
    `${table(head, rows)}${andMore(documents.length - rows.length)}`,
    ...(texts.length === 0 ? [] : ['## Texts\n', ...texts]),
  ]
}

function text({ path, text }: DocumentRow): string[] {
  return text === undefined ? [] : [`### ${code(path)}\n\n${codeBlock(text)}\n`]
}

function andMore(count: number): string {
  return count > 0 ? `\nand ${counted(count)} more\n` : ''
}
