import { fromCitationFields } from '../../core/citations/citation-fields.ts'
import { findFootnotes, formatQuote, listPassages } from '../../core/citations/format-footnotes.ts'
import type { DocumentRow } from '../../core/report/report-json.ts'
import { appendPath, type ReportLinks } from '../../core/report/report-links.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { toSingleLine } from '../../core/text/to-single-line.ts'
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
  const rows = documents.flatMap((row) => {
    const { output_text: text } = row
    return text === undefined ? [] : [{ text, passageBytes: countBytes(toPassages(row)) }]
  })
  // Escaping makes texts longer, and takes seconds for as many as do not fit anyway.
  const measure = (countText: (text: string) => number) =>
    computeTextLimit(
      rows.map(({ text, passageBytes }) => countText(text) + textFieldBytes + passageBytes),
      budgetBytes,
    )
  const roughLimit = measure(Buffer.byteLength)
  return Number.isFinite(roughLimit) ? roughLimit : measure((text) => countJsonBytes(toShownText(text)))
}

/** The bytes of `,"output_text":`. */
const textFieldBytes = 15

/** Returns the text of a row with its passages; a beginning without them, if both together are longer than the limit. */
function toText(row: DocumentRow, textLimit: number) {
  const { output_text: text } = row
  if (text === undefined || textLimit === 0) return {}
  const passages = toPassages(row)
  // One more, so that the cut is noticed.
  const beginning = Number.isFinite(textLimit) ? truncate(text, textLimit + 1) : text
  const maxBytes = textLimit - textFieldBytes
  const whole = beginning === text ? toShownText(text) : undefined
  if (whole !== undefined && countJsonBytes(whole) + countBytes(passages) <= maxBytes)
    return { output_text: whole, ...passages }
  const shortened = shortenText(toShownText(beginning), maxBytes)
  return shortened === undefined ? {} : { output_text: shortened }
}

/** Returns the bytes of optional fields of a row. */
function countBytes(fields: object): number {
  return Object.keys(fields).length === 0 ? 0 : countJsonBytes(fields)
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
      ...(row.batch_id !== null && { batch_id: row.batch_id }),
      ...toOutputPath(row),
      ...(links !== undefined && toExplicitLinks(row, links)),
    }
  }
}

/**
 * Returns place and quote of each footnote of a text, in their order, and what its marks have before their number. A text
 * without the footnotes of its citations has none: what looks like a mark is the model's.
 */
function toPassages({ output_text: text = '', citations = [] }: DocumentRow) {
  if (citations.length === 0) return {}
  const verified = citations.map(fromCitationFields)
  const footnotes = findFootnotes(text, verified)
  if (footnotes === undefined) return {}
  return {
    passages: listPassages(verified).map(({ place = '', quote }) => [
      escapeControlChars(toSingleLine(place)),
      escapeControlChars(formatQuote(quote)),
    ]),
    ...(footnotes.prefix !== '' && { mark: footnotes.prefix }),
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
