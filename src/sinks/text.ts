import { errorLine } from '../core/errors/error-record.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { printable } from '../core/text/escape-control.ts'

export interface TextOptions {
  /** A header line before each: needed as soon as there are several. */
  readonly headers: boolean
  /** Somebody looks at it: control sequences in a model's text must not reach the terminal. */
  readonly terminal: boolean
}

/** Summaries as text, one after the other, as `head` and `tail` print several files. A failure's record stands in its place. */
export function textSink(write: (text: string) => Promise<void>, { headers, terminal }: TextOptions): Sink {
  let first = true
  return {
    async write(outcome) {
      const body = bodyOf(outcome)
      if (body === undefined) return
      const header = headers ? `${first ? '' : '\n'}==> ${printable(outcome.source.path)} <==\n` : ''
      first = false
      await write(`${header}${terminal ? printable(body, '\n\t') : body}\n`)
    },
    async close() {},
  }
}

function bodyOf(outcome: Outcome): string | undefined {
  switch (outcome.status) {
    case 'summarized':
      return outcome.text.trimEnd()
    case 'failed':
      return errorLine(outcome.failure)
    case 'skipped':
    case 'pending':
      return undefined
  }
}
