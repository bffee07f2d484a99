import type { OutputFileState } from '../core/document/overwrite-policy.ts'
import { type RedoTarget, redoesAll, redoesSummary } from '../core/document/redo.ts'
import type { Provenance } from '../core/run/provenance.ts'
import type { KnownSummary } from './ledger/known-summary.ts'

/** Why a document that had a summary is summarized again. */
export type RerunReason =
  | 'document changed'
  | 'prompt changed'
  | 'model changed'
  | 'settings changed'
  | 'summary deleted'
  | 'flagged'
  | 'requested'
  | 'forced'

export interface RerunCause {
  /** Whether the summary was made by the very request that is sent again. */
  readonly isSameRequest: boolean
  /** The state of the summary's file. */
  readonly state: OutputFileState
  /** Results that the run produces again. */
  readonly redo: readonly RedoTarget[]
  /** How the document is summarized now. */
  readonly provenance: Provenance
}

/** Returns why a document with a known summary is summarized again. */
export function chooseRerunReason(known: KnownSummary, cause: RerunCause): RerunReason {
  const { isSameRequest, state, redo, provenance } = cause
  if (!isSameRequest) return findChange(known, provenance)
  if (redoesSummary(redo, known.qualityIssues ?? [])) return redoesAll(redo) ? 'requested' : 'flagged'
  return state === 'deleted' ? 'summary deleted' : 'forced'
}

function findChange({ settingsHash, run }: KnownSummary, now: Provenance): RerunReason {
  if (settingsHash === now.settingsHash) return 'document changed'
  if (run === undefined || run.prompt !== now.prompt) return 'prompt changed'
  return run.model === now.model ? 'settings changed' : 'model changed'
}
