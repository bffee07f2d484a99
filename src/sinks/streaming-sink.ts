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
  /** Whether stdout is a terminal; control sequences in a model's text are then escaped. */
  readonly isTerminal: boolean
  /** Called when a piece cannot be written to stdout. */
  readonly onWriteError: (error: Error) => void
}

/**
 * Creates a sink that prints the only summary of a run while it arrives. The bytes are the same as without
 * streaming.
 */
export function createStreamingSink(
  write: (text: string) => Promise<void>,
  { isTerminal, onWriteError }: StreamingSinkOptions,
): StreamingSink {
  /** White space that is held back, because it is dropped at the end of the summary. */
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

/** Returns the text that is still to be printed; undefined if nothing was or will be printed. */
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
