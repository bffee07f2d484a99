import type { DocumentRef } from '../core/document/document.ts'
import { ExitError } from '../errors.ts'
import { createJsonlSink } from '../sinks/jsonl-sink.ts'
import { createStreamingSink } from '../sinks/streaming-sink.ts'
import { createTextSink } from '../sinks/text-sink.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'
import { createRunStart } from './create-run-start.ts'
import type { Output, OutputOptions } from './output.ts'

/**
 * Opens stdout as the output. Stdout keeps no state, so all documents are pending. The text of a single
 * document is shown while it arrives, unless stdout is a file, which must not hold an incomplete text.
 * @param onWriteError called if the reader of stdout is gone while a text is shown
 * @throws ExitError `ioError` if stdout is closed
 */
export function openStdoutOutput(
  sources: readonly DocumentRef[],
  { options, runtime, promptChoice, version }: OutputOptions,
  onWriteError: (error: Error) => void,
): Output {
  const { format, unordered } = options
  const { stdout, getStdoutKind } = runtime
  const kind = getStdoutKind()
  if (kind === 'closed')
    throw new ExitError('ioError', 'stdout is closed, so the summaries cannot be written')
  const write = createStreamWriter(stdout, 'stdout')
  const isTerminal = stdout.isTTY === true
  const runStart = createRunStart(runtime.cwd, { options, runtime, promptChoice, version })
  const common = { runStart, pending: sources, upToDate: [], folder: undefined, async close() {} }
  if (sources.length === 1 && format !== 'jsonl' && kind !== 'file') {
    const sink = createStreamingSink(write, { isTerminal, onWriteError })
    return { ...common, sink, onText: sink.onText, isOrdered: false }
  }
  const sink =
    format === 'jsonl'
      ? createJsonlSink(write, { structured: promptChoice.structured })
      : createTextSink(write, { headers: sources.length > 1, isTerminal })
  return { ...common, sink, onText: undefined, isOrdered: !unordered }
}
