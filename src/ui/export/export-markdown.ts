import { describeMissingSummary, type ExportedResult } from '../../core/report/exported-result.ts'
import { markdownMarker } from '../../core/report/generated-marker.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { readJsonMembers } from '../../core/text/json-members.ts'
import { isJson, minifyJson } from '../../core/text/minify-json.ts'
import { chooseFence, escapeMarkdown, renderInlineCode } from '../markdown.ts'
import { formatTimestamp } from '../report-format.ts'
import { embedMarkdown } from './embed-markdown.ts'
import { type ExportHeader, formatExportTitle, listResultFacts, missingText } from './result-facts.ts'

/** Generates one Markdown document: a table of contents, then a section per result. */
export async function* renderExportMarkdown(
  results: AsyncIterable<ExportedResult>,
  { paths, areSummaries, folder, programVersion, createdAt }: ExportHeader,
): AsyncGenerator<string> {
  yield `${markdownMarker}\n# ${formatExportTitle(paths.length, areSummaries)}\n\n`
  for (const [n, path] of paths.entries()) yield `- [${renderInlineCode(path)}](#result-${n + 1})\n`
  let count = 0
  for await (const result of results) yield renderSection(result, ++count)
  yield `\n***\n\nExported from ${renderInlineCode(folder)} by claude-batch ${escapeMarkdown(programVersion)}, ${formatTimestamp(createdAt)}.\n`
}

function renderSection(result: ExportedResult, number: number): string {
  const facts = listResultFacts(result).map(escapeMarkdown).join(' · ')
  return `\n<a id="result-${number}"></a>\n\n## ${renderInlineCode(result.entry.path)}\n\n${facts}\n\n${renderBody(result)}\n`
}

function renderBody({ entry, text, isJson: isStructured }: ExportedResult): string {
  const reason = describeMissingSummary(entry)
  if (reason !== undefined) return renderInlineCode(reason)
  if (text === undefined) return missingText
  return isStructured && isJson(text) ? renderJson(text) : embedMarkdown(text, 3)
}

/** Renders JSON as a code block with one line per member. All tokens are those of the model. */
function renderJson(json: string): string {
  const members = readJsonMembers(json)
  const lines = [...(members ?? [])].map(([name, value]) => `  ${JSON.stringify(name)}: ${value}`)
  const text = escapeControlChars(
    members === undefined ? minifyJson(json) : `{\n${lines.join(',\n')}\n}`,
    '\n',
  )
  const fence = chooseFence(text)
  return `${fence}json\n${text}\n${fence}`
}
