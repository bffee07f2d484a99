import { extname, resolve } from 'node:path'
import type { ExportOptions } from '../config/export-flags.ts'
import { computeCwdFromOut } from '../core/document/document-path.ts'
import { type ExportFormat, exportFormats } from '../core/report/generated-marker.ts'
import { pluralize } from '../core/text/format-number.ts'
import { CommandLineError, type Exit, ExitError } from '../errors.ts'
import { inspectNamedOutputs } from '../run/named-outputs.ts'
import { readResults, readStructuredResults } from '../run/read-selected-results.ts'
import { renderExport } from '../run/render-export.ts'
import { requireLedger } from '../run/require-ledger.ts'
import { selectResults } from '../run/select-results.ts'
import { exitBySignal, type Runtime } from '../runtime.ts'
import { type NamedFile, writeNamedFile } from '../storage/fs/named-file.ts'
import { createStreamWriter } from '../storage/fs/stream-writer.ts'
import { createTempNonce } from '../storage/fs/unshared-file.ts'
import { type CurrentResult, readCurrentResults } from '../storage/ledger/current-results.ts'
import { printMessage } from '../ui/print-message.ts'

/**
 * Writes the current results of an output folder as one file. Reads the folder without its lock, so that it can be
 * exported during a run.
 * @throws UsageError, ExitError
 */
export async function exportResults(
  dir: string,
  options: ExportOptions,
  runtime: Runtime,
  version: string,
): Promise<Exit> {
  const { cwd, clock, getStdoutKind } = runtime
  const format = chooseFormat(options)
  const { output: name = '-' } = options
  if (name === '-' && getStdoutKind() === 'closed')
    throw new ExitError('ioError', 'stdout is closed, so the summaries cannot be written')
  requireLedger(dir, cwd, 'export')
  const out = resolve(cwd, dir)
  const { results, damagedLines } = await readCurrentResults(out, computeCwdFromOut(out, cwd))
  const selected = selectResults(results, options, cwd)
  if (selected.length === 0) throw new ExitError('noInput', describeNothing(dir, results, options))
  const exported = name === '-' ? undefined : { name, format }
  const outputs = await inspectNamedOutputs({ exported, out, runtime })
  const [missing, long] = [new Set<string>(), new Set<string>()]
  const stop = new AbortController()
  const toRead = { out, results: selected, signal: stop.signal }
  const source = {
    header: {
      paths: selected.map(({ entry }) => entry.path),
      areSummaries: selected.every(({ entry }) => entry.status === 'summarized'),
      folder: dir,
      programVersion: version,
      createdAt: new Date(clock.wallTime()).toISOString(),
    },
    read: () => readResults(toRead, (path) => missing.add(path)),
    readStructured: () => readStructuredResults(toRead),
    onLongCell: (path: string) => long.add(path),
  }
  try {
    await writeExport(outputs.exported, renderExport(format, source), runtime, stop)
  } finally {
    outputs.close()
  }
  if (damagedLines > 0)
    printMessage(
      runtime,
      `${pluralize(damagedLines, 'line')} of the ledger cannot be read; their results are not exported`,
    )
  if (long.size > 0)
    printMessage(
      runtime,
      `${formatPaths(long)}: longer than the 32,767 characters that Excel shows in a cell; the file has all of the text`,
    )
  if (missing.size === 0) return 'ok'
  printMessage(
    runtime,
    `${formatPaths(missing)}: the summary is missing or cannot be read; to make it again, run summarize`,
  )
  return 'failed'
}

/** Returns the format that the user chose, with the flag or by the name of the file. @throws CommandLineError */
function chooseFormat({ format, output }: ExportOptions): ExportFormat {
  if (format !== undefined) return format
  const extension = extname(output ?? '').toLowerCase()
  const found = exportFormats.find((format) => extension === `.${format}`)
  if (found !== undefined) return found
  // A pipe or a device has no extension.
  if (output === undefined || output === '-' || output.startsWith('/dev/')) return 'jsonl'
  throw new CommandLineError(
    `--output ${output}: expected a name that ends in .jsonl, .csv, .md or .html; or choose a --format`,
  )
}

/** Returns why there is nothing to export. */
function describeNothing(
  dir: string,
  results: readonly CurrentResult[],
  { status, path, since, flagged }: ExportOptions,
): string {
  const count = results.filter(({ entry }) => status.includes(entry.status)).length
  if (count === 0)
    return `no document in ${dir} has the status ${status.join(' or ')}; see claude-batch report ${dir}`
  const flags = [path && '--path', since && '--since', flagged && '--flagged'].filter(Boolean)
  return `none of the ${pluralize(count, 'result')} in ${dir} matches ${flags.join(' and ')}`
}

/**
 * Writes an export to a file, which replaces an earlier one when it is complete, or to stdout.
 * @param stop is aborted at Ctrl-C, so that no temporary file is left
 */
async function writeExport(
  file: NamedFile | undefined,
  pieces: AsyncIterable<string>,
  { stdout, onStopSignal }: Runtime,
  stop: AbortController,
): Promise<void> {
  if (file === undefined) {
    const write = createStreamWriter(stdout, 'stdout')
    for await (const piece of pieces) await write(piece)
    return
  }
  const stopListening = onStopSignal((signal) =>
    stop.abort(new ExitError(exitBySignal[signal], `stopped by ${signal}; nothing was written`)),
  )
  try {
    await writeNamedFile(file, pieces, createTempNonce('export'))
  } finally {
    stopListening()
  }
}

const maxListedPaths = 3

function formatPaths(paths: ReadonlySet<string>): string {
  const more = paths.size - maxListedPaths
  const listed = [...paths].slice(0, maxListedPaths).join(', ')
  return more > 0 ? `${listed} and ${pluralize(more, 'other')}` : listed
}
