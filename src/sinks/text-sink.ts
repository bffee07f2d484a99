import { formatErrorHeadline } from '../core/errors/format-error-record.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'

export interface TextSinkOptions {
  /** A header line before each: needed as soon as there are several. */
  readonly headers: boolean
  /** Somebody looks at it: control sequences in a model's text must not reach the terminal. */
  readonly isTerminal: boolean
}

/** Summaries as text, one after the other, as `head` and `tail` print several files. A failure's record stands in its place. */
export function createTextSink(
  write: (text: string) => Promise<void>,
  { headers, isTerminal }: TextSinkOptions,
): Sink {
  let first = true
  return {
    async write(outcome) {
      const body = formatBody(outcome)
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

function formatBody(outcome: Outcome): string | undefined {
  switch (outcome.status) {
    case 'summarized':
      return outcome.text.trimEnd()
    case 'failed':
      return formatErrorHeadline(outcome.failure)
    case 'skipped':
    case 'pending':
      return undefined
  }
}
