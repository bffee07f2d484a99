import { describeMissingSummary, type ExportedResult } from '../../core/report/exported-result.ts'
import { readJsonMembers } from '../../core/text/json-members.ts'
import { isJson } from '../../core/text/minify-json.ts'
import { pageEnd, readPageAsset, renderPageStart } from '../report-html/html-page.ts'
import { html, type Markup } from '../report-html/html-template.ts'
import { renderPreformatted } from '../report-html/preformatted.ts'
import { renderTimestamp } from '../report-html/timestamp.ts'
import { type ExportHeader, formatExportTitle, listResultFacts, missingText } from './result-facts.ts'

/**
 * Generates one self-contained page without scripts: a table of contents, then a section per result. Nothing is
 * folded, so that the search of the browser finds all of it.
 */
export async function* renderExportHtml(
  results: AsyncIterable<ExportedResult>,
  { paths, areSummaries, folder, programVersion, createdAt }: ExportHeader,
): AsyncGenerator<string> {
  const title = formatExportTitle(paths.length, areSummaries)
  yield html`${renderPageStart(title, readPageAsset('report.css'))}<header><h1>${title}</h1><p class="setting">Exported from <bdi>${folder}</bdi></p></header>
<main>
<nav aria-label="Contents"><ul class="contents">
`.text
  for (const [n, path] of paths.entries())
    yield html`<li><a href="#result-${n + 1}"><bdi>${path}</bdi></a></li>\n`.text
  yield '</ul></nav>\n'
  let count = 0
  for await (const result of results) yield renderResult(result, ++count).text
  yield html`</main>
<footer><p>Created by claude-batch ${programVersion}, ${renderTimestamp(createdAt)}. All times are UTC. This file is self-contained and loads nothing from the network.</p></footer>
`.text
  yield pageEnd
}

function renderResult(result: ExportedResult, number: number): Markup {
  const facts = listResultFacts(result).map((fact) => html`<bdi>${fact}</bdi> `)
  return html`<section class="result" id="result-${number}"><h2><bdi>${result.entry.path}</bdi></h2><p class="setting">${facts}</p>
${renderBody(result)}</section>
`
}

function renderBody({ entry, text, isJson: isStructured }: ExportedResult): Markup {
  const reason = describeMissingSummary(entry)
  if (reason !== undefined) return html`<p class="error" dir="auto">${reason}</p>`
  if (text === undefined) return html`<p class="error">${missingText}</p>`
  const members = isStructured && isJson(text) ? readJsonMembers(text) : undefined
  return members === undefined ? renderPreformatted(text) : renderFields(members)
}

/** Renders the fields of a structured summary. Lists and objects are shown as JSON. */
function renderFields(members: ReadonlyMap<string, string>): Markup {
  const fields = [...members].map(([name, json]) => {
    const value = json.startsWith('"') ? (JSON.parse(json) as string) : json
    return html`<dt>${name}</dt><dd>${renderPreformatted(value)}</dd>`
  })
  return html`<dl class="fields">${fields}</dl>`
}
