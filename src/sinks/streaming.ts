import { errorLine } from '../core/errors/error-record.ts'
import type { Watch } from '../core/request/ask.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import { printable } from '../core/text/escape-control.ts'

export interface Live extends Sink {
  /** Shows a piece of the summary. */
  readonly watch: Watch
}

export interface LiveOptions {
  /** Somebody looks at it: control sequences in a model's text must not reach the terminal. */
  readonly terminal: boolean
  /** Told when nobody can be shown anything any more. */
  readonly lost: (error: Error) => void
}

/** The one summary of a run, shown as it is written. In the end it is the same, byte for byte, as if it had come whole. */
export function liveSink(write: (text: string) => Promise<void>, { terminal, lost }: LiveOptions): Live {
  /** White space that is not shown, as it may turn out to be the end. */
  let held = ''
  let shown = 0
  let writing = Promise.resolve()
  const show = (text: string) => {
    writing = writing.then(() => write(terminal ? printable(text, '\n\t') : text))
    return writing
  }
  return {
    watch(piece) {
      const text = held + piece
      const visible = text.trimEnd()
      held = text.slice(visible.length)
      if (visible === '') return
      shown += visible.length
      show(visible).catch(lost)
    },
    async write(outcome) {
      const rest = restOf(outcome, shown)
      if (rest !== undefined) await show(`${rest}\n`)
    },
    async close() {},
  }
}

/** What is still to be shown of it. */
function restOf(outcome: Outcome, shown: number): string | undefined {
  switch (outcome.status) {
    case 'summarized':
      return outcome.text.trimEnd().slice(shown)
    case 'failed':
      return `${shown > 0 ? '\n' : ''}${errorLine(outcome.failure)}`
    case 'skipped':
    case 'pending':
      return shown > 0 ? '' : undefined
  }
}
