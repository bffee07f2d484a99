import type { ReportJson } from '../core/report/report-json.ts'
import { quoteBeginning } from '../core/text/quote-beginning.ts'
import { countFolderDocuments, countKnownDocuments, countOutcomes } from './count-documents.ts'
import { formatCount, formatTimestamp } from './report-format.ts'

/** Returns the result of a report in one line: of the whole output folder, if its state is known. */
export function getHeadline(report: ReportJson): string {
  const { runs, documents, output_folder: folder } = report
  if (runs.length === 0) return 'No runs yet'
  const total = countFolderDocuments(report)
  if (total === undefined && folder !== null)
    return `${formatCount(folder.summarized, 'document')} summarized, ${formatCount(folder.pending + folder.not_reached)} pending`
  if (total !== undefined && total > 0) return formatResult(folder?.summarized ?? 0, total, '')
  if (documents.length === 0) return 'No document was sent'
  const [singleRun] = runs.length === 1 ? runs : []
  const hasKept = (singleRun?.skipped_by_reason?.['unchanged'] ?? 0) > 0
  return formatResult(
    countOutcomes(report).summarized,
    countKnownDocuments(report),
    hasKept ? ' of this run' : '',
  )
}

/** @param scope what the documents are of, with a space before it; empty for all documents */
function formatResult(summarized: number, total: number, scope: string): string {
  if (total === 1)
    return summarized === 1 ? `1 document${scope} summarized` : `The document${scope} was not summarized`
  if (summarized === total) return `All ${formatCount(total)} documents${scope} summarized`
  return `${summarized === 0 ? 'None' : formatCount(summarized)} of ${formatCount(total)} documents${scope} summarized`
}

/** Returns when the runs took place, then their prompts and models: `2026-11-22 12:00 UTC`, … */
export function describeRuns(report: ReportJson): string[] {
  const { runs, groups: by, simulated } = report
  const [first, last] = [runs[0], runs.at(-1)]
  if (first === undefined || last === undefined) return []
  const [from, to] = [first.started_at, last.started_at].map((time) => time.slice(0, 10))
  const when =
    runs.length === 1
      ? formatTimestamp(first.started_at)
      : `${formatCount(runs.length, 'run')}, ${from === to ? from : `${from} to ${to}`}`
  const prompts = by.prompt.map(({ name }) => name)
  const models = by.model.map(({ name }) => name)
  return [
    when,
    ...describePart(report),
    joinNames(prompts, first.prompt, 'prompt'),
    ...describeInstructions(runs),
    joinNames(models, first.model, 'model'),
    ...(simulated ? ['simulated: nothing was spent'] : []),
  ]
}

/** Returns the instructions of the runs, if all have the same. */
function describeInstructions(runs: ReportJson['runs']): string[] {
  const [instructions, ...others] = new Set(runs.map((run) => run.instructions))
  return instructions && others.length === 0 ? [quoteBeginning(instructions, 200)] : []
}

/** Returns what the runs of a report did, if the headline is about more than these runs. */
function describePart(report: ReportJson): string[] {
  if (!isAboutPartOfFolder(report)) return []
  const { summarized, failed, pending } = countOutcomes(report)
  const parts = [
    ...(summarized > 0 ? [`${formatCount(summarized)} summarized`] : []),
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(pending > 0 ? [`${formatCount(pending)} pending`] : []),
  ]
  return [`${report.runs.length === 1 ? 'this run' : 'these runs'}: ${parts.join(', ') || 'nothing to do'}`]
}

/** Whether the output folder has more documents than the runs of a report. */
export function isAboutPartOfFolder(report: ReportJson): boolean {
  return report.output_folder !== null && countFolderDocuments(report) !== countKnownDocuments(report)
}

function joinNames(names: readonly string[], fallback: string, noun: string): string {
  return names.length > 2 ? formatCount(names.length, noun) : names.join(' and ') || fallback
}
