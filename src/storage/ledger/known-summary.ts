import { isOutputOf, summarySuffix } from '../../core/document/output-path.ts'
import type { OutputFile, RunStart, SummarizedEntry, UnchangedEntry } from '../../core/run/ledger-entry.ts'
import { findSimulator, type SimulatedBy } from './simulated-entry.ts'

/**
 * The latest summary of a document, from the ledger. There may be 100,000 of them in memory, so they share
 * strings.
 */
export interface KnownSummary {
  /** The document's size (bytes) and time (ms since 1970) when claude-batch last found it unchanged. */
  readonly size: number
  readonly mtime: number | undefined
  /** SHA-256 of the document, hexadecimal; undefined in a damaged entry. */
  readonly sha256: string | undefined
  readonly settingsHash: string
  readonly requestHash: string
  /** Size, time and hash of the summary's file when it was written. */
  readonly output: Omit<OutputFile, 'path'>
  /** The path of that file; undefined if it is the document's path with the suffix, as for nearly all. */
  readonly file: string | undefined
  /**
   * Set if no run can have given the summary this file name, so the file is not a summary of the document.
   */
  readonly isMisnamed?: true
  /** Why the summary may be wrong. */
  readonly qualityIssues?: readonly string[]
  /** The run that made it. */
  readonly run: RunStart | undefined
  readonly simulatedBy?: SimulatedBy
}

/** Returns the path of a document's summary, relative to the output folder. */
export function locateSummary(path: string, { file }: KnownSummary): string {
  return file ?? path + summarySuffix
}

/**
 * Returns the data of a ledger entry that is kept in memory.
 * @param path of the document, relative to `cwd`
 * @param previous the summary of the previous entry, whose strings are shared
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
  const simulatedBy = findSimulator(entry, run)
  return {
    size,
    mtime,
    sha256: entry.sha256,
    settingsHash:
      previous?.settingsHash === entry.settings_hash ? previous.settingsHash : entry.settings_hash,
    requestHash,
    output: toOutputFields(output),
    file,
    ...(file !== undefined && !isOutputOf(file, path, cwd) && ({ isMisnamed: true } as const)),
    run,
    ...(entry.quality_issues !== undefined && { qualityIssues: entry.quality_issues }),
    ...(simulatedBy !== undefined && { simulatedBy }),
  }
}

/** Updates a summary whose document was found unchanged, or changed back. */
export function applyUnchanged(
  summaries: Map<string, KnownSummary>,
  path: string,
  {
    size_bytes: size,
    mtime_ms: mtime,
    settings_hash: settingsHash,
    request_hash: requestHash,
    output,
  }: UnchangedEntry,
): void {
  const known = summaries.get(path)
  if (known?.requestHash !== requestHash) return
  summaries.set(path, {
    ...known,
    size,
    mtime,
    settingsHash,
    ...(output !== undefined && { output: toOutputFields(output) }),
  })
}

function toOutputFields({
  size_bytes,
  mtime_ms,
  sha256,
  front_matter,
}: KnownSummary['output']): KnownSummary['output'] {
  return { size_bytes, mtime_ms, sha256, ...(front_matter && { front_matter }) }
}
