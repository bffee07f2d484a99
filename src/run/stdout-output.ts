import type { DocumentRef } from '../core/document/document.ts'
import type { ReusableSummary } from '../core/document/reusable-summary.ts'
import type { Sink } from '../core/run/sink.ts'
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
  const { format, unordered, footnotes } = options
  const { stdout, getStdoutKind } = runtime
  const kind = getStdoutKind()
  if (kind === 'closed')
    throw new ExitError('ioError', 'stdout is closed, so the summaries cannot be written')
  const write = createStreamWriter(stdout, 'stdout')
  const isTerminal = stdout.isTTY === true
  const runStart = createRunStart(runtime.cwd, { options, runtime, promptChoice, version })
  const { findEarlierResult, persist } = createReplyMemory(sources)
  const common = {
    runStart,
    pending: sources,
    upToDate: [],
    otherSettings: { changed: [], unclear: [] },
    findEarlierResult,
    persist,
    folder: undefined,
    async close() {},
  }
  // Footnotes belong between the parts of a text that would be shown already.
  const hasFootnotes = promptChoice.citations && footnotes
  if (sources.length === 1 && format !== 'jsonl' && kind !== 'file' && !hasFootnotes) {
    const sink = createStreamingSink(write, { isTerminal, onWriteError })
    return { ...common, ...withoutEmptyInput(sink, sources), onText: sink.onText, isOrdered: false }
  }
  const sink =
    format === 'jsonl'
      ? createJsonlSink(write, { structured: promptChoice.structured })
      : createTextSink(write, { headers: sources.length > 1, isTerminal, footnotes })
  return { ...common, ...withoutEmptyInput(sink, sources), onText: undefined, isOrdered: !unordered }
}

/**
 * Writes nothing if the only input is an empty stdin: a script that stores stdout would take an error record for the
 * summary.
 */
function withoutEmptyInput(
  sink: Sink,
  [first, ...others]: readonly DocumentRef[],
): Pick<Output, 'sink' | 'isInputEmpty'> {
  const isOnlyStdin = first?.path === '-' && others.length === 0
  let isEmpty = false
  return {
    sink: {
      ...sink,
      async write(outcome) {
        isEmpty =
          isOnlyStdin &&
          outcome.status === 'failed' &&
          outcome.failure.kind === 'input' &&
          outcome.failure.type === 'empty'
        if (!isEmpty) await sink.write(outcome)
      },
    },
    isInputEmpty: () => isEmpty,
  }
}

/**
 * Keeps the summaries of documents that may have the same content as a later one, because they have the same size. Stdout
 * keeps no summary that could be read again.
 */
function createReplyMemory(sources: readonly DocumentRef[]): Pick<Output, 'findEarlierResult' | 'persist'> {
  const counts = new Map<number, number>()
  for (const { stats } of sources)
    if (stats !== undefined) counts.set(stats.size, (counts.get(stats.size) ?? 0) + 1)
  const summaries = new Map<string, ReusableSummary>()
  return {
    findEarlierResult: async (_source, { requestHash }) => summaries.get(requestHash),
    async persist(outcome) {
      const { document, status } = outcome
      if (status !== 'summarized' || (counts.get(document.stats?.size ?? -1) ?? 0) < 2) return true
      const { text, citations, qualityIssues, requestMetadata } = outcome
      const issues = {
        ...(citations !== undefined && { citations }),
        ...(qualityIssues !== undefined && { qualityIssues }),
      }
      const from = { path: document.path, isMove: false }
      summaries.set(requestMetadata.requestHash, { action: 'reuse', text, ...issues, from })
      return true
    },
  }
}
