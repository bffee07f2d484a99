import type { OutputFileState } from '../core/document/overwrite-policy.ts'
import { type RedoTarget, redoesAll, redoesSummary } from '../core/document/redo.ts'
import type { Provenance } from '../core/run/provenance.ts'
import type { KnownSummary } from './ledger/known-summary.ts'

/** The reason for summarizing a document again that already had a summary. */
export type RerunReason =
  | 'document changed'
  | 'prompt changed'
  | `prompt: ${string} → ${string}`
  | `model: ${string} → ${string}`
  | 'settings changed'
  | 'summary deleted'
  | 'flagged'
  | 'requested with --redo'
  | 'requested with --force'

export interface RerunCause {
  /** Whether the new request is identical to the one that made the summary. */
  readonly isSameRequest: boolean
  /** The state of the summary's file. */
  readonly state: OutputFileState
  /** The targets of `--redo`. */
  readonly redo: readonly RedoTarget[]
  /** The provenance of the new summary. */
  readonly provenance: Provenance
}

/** Returns the reason for summarizing a document again that has a known summary. */
export function chooseRerunReason(known: KnownSummary, cause: RerunCause): RerunReason {
  const { isSameRequest, state, redo, provenance } = cause
  if (!isSameRequest) return findChange(known, provenance)
  if (redoesSummary(redo, known.qualityIssues ?? []))
    return redoesAll(redo) ? 'requested with --redo' : 'flagged'
  return state === 'deleted' ? 'summary deleted' : 'requested with --force'
}

function findChange({ settingsHash, run }: KnownSummary, now: Provenance): RerunReason {
  if (settingsHash === now.settingsHash) return 'document changed'
  if (run === undefined) return 'prompt changed'
  if (run.prompt !== now.prompt) return `prompt: ${run.prompt} → ${now.prompt}`
  return run.model === now.model ? 'settings changed' : `model: ${run.model} → ${now.model}`
}
