import type { DocumentRef, InputProblem } from '../core/document/document.ts'
import { createFailedBeforeProblem, notSimulatedProblem } from '../core/document/kept-results.ts'
import { notFailedProblem } from '../core/document/overwrite-policy.ts'
import { earlierReportProblem } from '../inputs/find/earlier-output.ts'
import type { FolderInspection } from './inspect-folder.ts'

/**
 * The class of a document by the ledger. `up_to_date`: its summary is up to date. `other_settings`: a changed
 * setting is the only reason to replace the summary. `unclear_settings`: it may be the only reason, which
 * only reading the document shows. A problem prevents a summary. Undefined for a document to summarize.
 */
export type SourceClass = 'up_to_date' | 'other_settings' | 'unclear_settings' | InputProblem | undefined

/** Classifies a document by the ledger, without reading it. */
export function classifySource(source: DocumentRef, { inspector, earlier }: FolderInspection): SourceClass {
  const { path } = source
  // A run without --digest may find the digest of an earlier run among its documents.
  if (!source.namedByUser && inspector.isEarlierDigest(path)) return earlierReportProblem
  if (earlier.isKeptFromSimulation(path)) return notSimulatedProblem
  if (inspector.isUpToDate(source)) return 'up_to_date'
  if (inspector.isLeftOut(path)) return notFailedProblem
  const failureReason = earlier.findRepeatedFailure(source)
  if (failureReason !== undefined) return createFailedBeforeProblem(failureReason)
  const comparison = earlier.compareSettings(source)
  if (comparison === 'same') return undefined
  return comparison === 'changed' ? 'other_settings' : 'unclear_settings'
}
