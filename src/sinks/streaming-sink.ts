import { formatErrorHeadline } from '../core/errors/format-error-record.ts'
import type { OnText } from '../core/request/ask.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'

export interface StreamingSink extends Sink {
  /** Shows a piece of the summary. */
  readonly onText: OnText
}

export interface StreamingSinkOptions {
  /** Somebody looks at it: control sequences in a model's text must not reach the terminal. */
  readonly isTerminal: boolean
  /** Told when nobody can be shown anything any more. */
  readonly onWriteError: (error: Error) => void
}

/** The one summary of a run, shown as it is written. In the end it is the same, byte for byte, as if it had come whole. */
export function createStreamingSink(
  write: (text: string) => Promise<void>,
  { isTerminal, onWriteError }: StreamingSinkOptions,
): StreamingSink {
  /** White space that is not shown, as it may turn out to be the end. */
  let pendingWhitespace = ''
  let shownLength = 0
  let writing = Promise.resolve()
  const show = (text: string) => {
    writing = writing.then(() => write(isTerminal ? escapeControlChars(text, '\n\t') : text))
    return writing
  }
  return {
    onText(piece) {
      const text = pendingWhitespace + piece
      const visible = text.trimEnd()
      pendingWhitespace = text.slice(visible.length)
      if (visible === '') return
      shownLength += visible.length
      show(visible).catch(onWriteError)
    },
    async write(outcome) {
      const rest = formatRest(outcome, shownLength)
      if (rest !== undefined) await show(`${rest}\n`)
    },
    async close() {},
  }
}

/** What is still to be shown of it. */
function formatRest(outcome: Outcome, shownLength: number): string | undefined {
  switch (outcome.status) {
    case 'summarized':
      return outcome.text.trimEnd().slice(shownLength)
    case 'failed':
      return `${shownLength > 0 ? '\n' : ''}${formatErrorHeadline(outcome.failure)}`
    case 'skipped':
    case 'pending':
      return shownLength > 0 ? '' : undefined
  }
}
