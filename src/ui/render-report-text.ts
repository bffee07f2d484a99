import type { ReportJson } from '../core/report/report-json.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { describePrompt } from './describe-prompt.ts'
import { getExact } from './quantity.ts'
import { buildFigures, listRemarks } from './report-figures.ts'
import { formatCost, formatCount, formatMs, formatTimestamp, formatTokens } from './report-format.ts'
import { describeRuns, getHeadline } from './report-headline.ts'
import { formatTable } from './text-table.ts'

/** The maximum number of runs and of errors that are listed. */
const maxRows = 20

/** Returns a report as plain text, for a terminal: the result, the main figures, the runs and the errors. */
export function renderReportText(report: ReportJson): string {
  const { runs } = report
  if (runs.length === 0) return `${getHeadline(report)}\n`
  return [
    `${getHeadline(report)}\n${escapeControlChars(describeRuns(report).join(', '))}\n`,
    renderFigures(report),
    ...(runs.length > 1 ? [renderRuns(report)] : []),
    ...renderErrors(report),
    ...listRemarks(report).map((text) => `${escapeControlChars(text)}\n`),
  ].join('\n')
}

function renderFigures(report: ReportJson): string {
  const rows = buildFigures(report).map(({ name, value, notes }) => [
    name.toLowerCase(),
    `${getExact(value)}${notes.length === 0 ? '' : ` (${notes.map(getExact).join('; ')})`}`,
  ])
  return formatTable(rows)
}

function renderRuns({ runs }: ReportJson): string {
  const rows = runs
    .slice(-maxRows)
    .map((run) => [
      formatTimestamp(run.started_at),
      describePrompt(run),
      `${run.model}${run.simulated ? ' (simulated)' : ''}`,
      formatCount(run.summarized),
      formatCount(run.failed),
      formatTokens(run, 'in'),
      formatTokens(run, 'out'),
      formatMs(run.duration_ms),
      formatCost(run),
    ])
  const heading = ['run', 'prompt', 'model', 'done', 'failed', 'tokens in', 'out', 'time', 'cost']
  return formatTable([heading, ...rows], 3) + formatRemainder(runs.length - rows.length, 'earlier run')
}

function renderErrors({ errors }: ReportJson): string[] {
  if (errors.length === 0) return []
  const shown = errors.slice(0, maxRows).map(({ error, count, transient, example_paths: paths }) => {
    const more = count - paths.length
    const where = `${paths.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`
    return `  ${escapeControlChars(`${error} (${transient ? 'retryable' : 'permanent'}): ${where}`)}\n`
  })
  return [`errors:\n${shown.join('')}${formatRemainder(errors.length - shown.length, 'other error')}`]
}

function formatRemainder(count: number, what: string): string {
  return count > 0 ? `  and ${formatCount(count, what)}\n` : ''
}
