import { type ExportedResult, isMissing } from '../core/report/exported-result.ts'
import { ExitError } from '../errors.ts'
import type { CurrentResult } from '../storage/ledger/current-results.ts'
import { isStructured, readExportedResult } from '../storage/read-exported-result.ts'

export interface ReadResultsOptions {
  /** The output folder; absolute. */
  readonly out: string
  readonly results: readonly CurrentResult[]
  /** When it is aborted, its reason is thrown. */
  readonly signal: AbortSignal
}

/**
 * Reads the texts of all results.
 * @param onMissing called with the path of a document whose summary cannot be read
 * @throws ExitError `noInput` at the end if no result could be read, so that an earlier export is kept
 */
export async function* readResults(
  options: ReadResultsOptions,
  onMissing: (path: string) => void,
): AsyncGenerator<ExportedResult> {
  let missingCount = 0
  for await (const result of readTexts(options)) {
    if (isMissing(result)) {
      missingCount++
      onMissing(result.entry.path)
    }
    yield result
  }
  if (missingCount === options.results.length)
    throw new ExitError(
      'noInput',
      `${missingCount === 1 ? 'the summary is' : `all ${missingCount} summaries are`} missing or cannot be read; to make them again, run summarize`,
    )
}

/** Reads the summaries that are JSON, as far as they can be read. */
export function readStructuredResults(options: ReadResultsOptions): AsyncGenerator<ExportedResult> {
  return readTexts({ ...options, results: options.results.filter(isStructured) })
}

/** How many summaries are read at the same time. */
const readCount = 16

async function* readTexts({ out, results, signal }: ReadResultsOptions): AsyncGenerator<ExportedResult> {
  for (let n = 0; n < results.length; n += readCount) {
    signal.throwIfAborted()
    const group = results.slice(n, n + readCount)
    yield* await Promise.all(group.map((result) => readExportedResult(out, result)))
  }
}
