import { addFootnotes } from '../core/citations/format-footnotes.ts'
import { formatErrorHeadline } from '../core/errors/format-error-record.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'

export interface TextSinkOptions {
  /** Whether to print a header line before each summary, which is needed with several documents. */
  readonly headers: boolean
  /** Whether stdout is a terminal; control sequences in a model's text are then escaped. */
  readonly isTerminal: boolean
  /** Whether summaries with citations have footnotes. */
  readonly footnotes: boolean
}

/**
 * Creates a sink that prints summaries as text, with headers like `head` and `tail`. Prints failures as
 * `ERROR: …`.
 */
export function createTextSink(
  write: (text: string) => Promise<void>,
  { headers, isTerminal, footnotes }: TextSinkOptions,
): Sink {
  let first = true
  return {
    async write(outcome) {
      const body = formatBody(outcome, footnotes)
      if (body === undefined) return
      const header = headers
        ? `${first ? '' : '\n'}==> ${escapeControlChars(outcome.document.path)} <==\n`
        : ''
      first = false
      await write(`${header}${isTerminal ? escapeControlChars(body, '\n\t') : body}\n`)
    },
    async close() {},
  }
}

function formatBody(outcome: Outcome, footnotes: boolean): string | undefined {
  switch (outcome.status) {
    case 'summarized':
      return (footnotes ? addFootnotes(outcome.text, outcome.citations ?? []) : outcome.text).trimEnd()
    case 'failed':
      return formatErrorHeadline(outcome.failure)
    case 'skipped':
    case 'pending':
      return undefined
  }
}
