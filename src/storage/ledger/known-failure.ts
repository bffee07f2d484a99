import { describePermanentFailure } from '../../core/errors/failure.ts'
import type { DocumentEntry, RunStart } from '../../core/run/ledger-entry.ts'
import { findSimulator, type SimulatedBy } from './simulated-entry.ts'

/** The failure of a document in its last run, from the ledger. */
export interface KnownFailure {
  /** Size (bytes) and time (ms since 1970) of the document; undefined if it could not be read. */
  readonly size: number | undefined
  readonly mtime: number | undefined
  readonly settingsHash: string
  /** Undefined if there was no request. */
  readonly requestHash: string | undefined
  /** Why the same request would fail again, in a few words; undefined if it may succeed. */
  readonly permanentReason: string | undefined
  readonly error: DocumentEntry['error']
  /** The error record, relative to the output folder; undefined if none could be written. */
  readonly record: string | undefined
  readonly simulatedBy: SimulatedBy | undefined
}

/** Returns what is kept in memory of the ledger entry of a failed document. */
export function toKnownFailure(entry: DocumentEntry, run: RunStart | undefined): KnownFailure {
  return {
    size: entry.size_bytes,
    mtime: entry.mtime_ms,
    settingsHash: entry.settings_hash,
    requestHash: entry.request_hash,
    permanentReason: entry.error && describePermanentFailure(entry.error),
    error: entry.error,
    record: entry.output?.path,
    simulatedBy: findSimulator(entry, run),
  }
}
