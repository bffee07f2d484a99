import { fromCitationFields } from '../../core/citations/citation-fields.ts'
import { formatQuote, listPassages } from '../../core/citations/format-footnotes.ts'
import type { DocumentRow } from '../../core/report/report-json.ts'
import { appendPath, type ReportLinks } from '../../core/report/report-links.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { truncate } from '../../core/text/truncate.ts'
import { formatTimestamp, statusLabels } from '../report-format.ts'
import { stringifyForScript } from './html-template.ts'
import { computeTextLimit, countJsonBytes, maxDataBytes, shortenText } from './text-budget.ts'

/** The rows of the table of documents for `assets/pages/report.js`. */
export interface DocumentData {
  /** How long the texts are at most: bytes; infinite if all are whole, 0 if all are left out. */
  readonly textLimit: number
  /** Generates the rows as pieces of JSON, with control and bidi characters made visible. */
  generate(): Generator<string>
}

const rowsPerPiece = 500

/**
 * Prepares the rows of the table of documents. They are short, because there may be 100,000 of them, and the
 * texts are shortened where the page would become too large.
 */
export function createDocumentData(
  documents: readonly DocumentRow[],
  links: ReportLinks | undefined,
  maxBytes = maxDataBytes,
): DocumentData {
  const toRow = createRowEncoder(links)
  const rowBytes = documents.reduce((sum, row) => sum + countJsonBytes(toRow(row)) + 2, 0)
  const textLimit = chooseTextLimit(documents, maxBytes - rowBytes)
  return {
    textLimit,
    *generate() {
      const toRow = createRowEncoder(links)
      yield '['
      for (let n = 0; n < documents.length; n += rowsPerPiece) {
        const rows = documents
          .slice(n, n + rowsPerPiece)
          .map((row) => stringifyForScript({ ...toRow(row), ...toText(row, textLimit) }))
        yield `${n === 0 ? '' : ','}\n${rows.join(',\n')}`
      }
      yield '\n]'
    },
  }
}

function chooseTextLimit(documents: readonly DocumentRow[], budgetBytes: number): number {
  const texts = documents.flatMap(({ output_text: text }) => text ?? [])
  // Escaping makes texts longer, and takes seconds for as many as do not fit anyway.
  const measure = (countBytes: (text: string) => number) =>
    computeTextLimit(
      texts.map((text) => countBytes(text) + textFieldBytes),
      budgetBytes,
    )
  const roughLimit = measure(Buffer.byteLength)
  return Number.isFinite(roughLimit) ? roughLimit : measure((text) => countJsonBytes(toShownText(text)))
}

/** The bytes of `,"output_text":`. */
const textFieldBytes = 15

function toText({ output_text: text }: DocumentRow, textLimit: number) {
  if (text === undefined || textLimit === 0) return {}
  // One more, so that the cut is noticed.
  const beginning = Number.isFinite(textLimit) ? truncate(text, textLimit + 1) : text
  const shortened = shortenText(toShownText(beginning), textLimit - textFieldBytes)
  return shortened === undefined ? {} : { output_text: shortened }
}

/** Returns a text whose control and bidi characters are visible, except line feeds and tabs. */
function toShownText(text: string): string {
  return escapeControlChars(text.replaceAll('\r\n', '\n'), '\n\t')
}

/**
 * Returns a function that encodes one row after the other, as `report.js` expects them: fields that are the same as in the row before are left out, and so is what follows from other fields.
 */
function createRowEncoder(links: ReportLinks | undefined) {
  let previous: Readonly<Record<string, unknown>> = {}
  let previousError: string | null = null
  return (row: DocumentRow) => {
    const shared = {
      status: statusLabels[row.status],
      simulated: row.simulated,
      ended_at: escapeControlChars(formatTimestamp(row.ended_at)),
      prompt: escapeControlChars(row.prompt),
      model: escapeControlChars(row.model),
    }
    const changed = Object.entries(shared).filter(([name, value]) => value !== previous[name])
    previous = shared
    const error = row.error === null ? null : escapeControlChars(row.error)
    const isSameError = error !== null && error === previousError
    if (error !== null) previousError = error
    return {
      path: escapeControlChars(row.path),
      ...Object.fromEntries(changed),
      n: toNumbers(row),
      ...(error !== null && { error: isSameError ? true : error }),
      ...(row.quality_issues.length > 0 && { quality_issues: row.quality_issues }),
      ...toPassages(row),
      ...(row.batch_id !== null && { batch_id: row.batch_id }),
      ...toOutputPath(row),
      ...(links !== undefined && toExplicitLinks(row, links)),
    }
  }
}

/** Returns place and quote of each passage that was found, in the order of the footnotes. */
function toPassages({ citations = [] }: DocumentRow) {
  const passages = listPassages(citations.map(fromCitationFields))
  if (passages.length === 0) return {}
  return {
    passages: passages.map(({ place = '', quote }) =>
      [place, quote].map((text) => escapeControlChars(formatQuote(text))),
    ),
  }
}

/** `report.js` relies on the order. */
function toNumbers(row: DocumentRow): (number | null)[] {
  const costs = [row.cost_usd, row.replies_with_unknown_cost]
  const times = [row.wait_ms, row.retry_ms, row.latency_ms]
  return [row.input_tokens, row.output_tokens, ...costs, row.attempts, ...times]
}

const usualSuffixes = { summarized: '.summary.md', failed: '.error.txt', pending: undefined } as const

/** Returns the path of the output file, unless it has the usual name. */
function toOutputPath({ path, status, output_path: file }: DocumentRow) {
  const suffix = usualSuffixes[status]
  const usualPath = suffix === undefined ? null : path + suffix
  return file === usualPath ? {} : { output_path: file === null ? null : escapeControlChars(file) }
}

/** Returns the links that do not follow from the paths as they are shown: of absolute paths, or odd names. */
function toExplicitLinks(row: DocumentRow, links: ReportLinks) {
  const { path, output_path: file } = row
  const link = links.toDocument(path)
  const outputLink = file === null ? undefined : links.toOutput(file)
  return {
    ...(!followsFrom(path, links.documentBase, link) && { link: link ?? null }),
    ...(file !== null &&
      !followsFrom(file, links.outputBase, outputLink) && { output_link: outputLink ?? null }),
  }
}

function followsFrom(path: string, base: string | undefined, link: string | undefined): boolean {
  if (base === undefined) return link === undefined
  return path.isWellFormed() && escapeControlChars(path) === path && appendPath(base, path) === link
}
