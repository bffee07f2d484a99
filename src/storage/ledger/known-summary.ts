import { isOutputOf, summarySuffix } from '../../core/document/output-path.ts'
import type { OutputFile, RunStart, SummarizedEntry, UnchangedEntry } from '../../core/run/ledger-entry.ts'

/** The latest summary of a document, as the ledger has it. There may be a hundred thousand, so it holds no duplicates. */
export interface KnownSummary {
  /** Size and time of the document when it was last found to be the one that was summarized: bytes, milliseconds since 1970. */
  readonly size: number
  readonly mtime: number | undefined
  readonly settingsHash: string
  readonly requestHash: string
  /** The summary's file when it was written. */
  readonly output: Omit<OutputFile, 'path'>
  /** Where that file is; undefined where its path is the document's with the suffix, as nearly all are. */
  readonly file: string | undefined
  /** No run can have given the document's summary that name: the file is not a summary of it. */
  readonly isMisnamed?: true
  /** Why the summary may be wrong. */
  readonly qualityIssues?: readonly string[]
  /** The run that made it. */
  readonly run: RunStart | undefined
}

/** Where a document's summary is, below the output folder. */
export function locateSummary(path: string, { file }: KnownSummary): string {
  return file ?? path + summarySuffix
}

/** Whether a text that was made with a prompt is a digest of summaries, not a summary. @param prompt `digest@v1` */
export function isDigest(prompt: string | undefined): boolean {
  return prompt?.startsWith('digest@') === true
}

/**
 * What the program keeps in memory of an entry.
 * @param path that the document is known by
 * @param cwd that the path is relative to
 * @param previous the entry before, whose strings are shared
 */
export function toKnownSummary(
  entry: SummarizedEntry,
  path: string,
  cwd: string,
  run: RunStart | undefined,
  previous?: KnownSummary,
): KnownSummary {
  const { size_bytes: size, mtime_ms: mtime, request_hash: requestHash, output } = entry
  const file = output.path === path + summarySuffix ? undefined : output.path
  return {
    size,
    mtime,
    settingsHash:
      previous?.settingsHash === entry.settings_hash ? previous.settingsHash : entry.settings_hash,
    requestHash,
    output: { size_bytes: output.size_bytes, mtime_ms: output.mtime_ms, sha256: output.sha256 },
    file,
    ...(file !== undefined && !isOutputOf(file, path, cwd) && ({ isMisnamed: true } as const)),
    run,
    ...(entry.quality_issues !== undefined && { qualityIssues: entry.quality_issues }),
  }
}

/** Records that a document is still, or again, the one that was summarized. */
export function applyUnchanged(
  summaries: Map<string, KnownSummary>,
  path: string,
  {
    size_bytes: size,
    mtime_ms: mtime,
    settings_hash: settingsHash,
    request_hash: requestHash,
  }: UnchangedEntry,
): void {
  const known = summaries.get(path)
  if (known?.requestHash === requestHash) summaries.set(path, { ...known, size, mtime, settingsHash })
}
