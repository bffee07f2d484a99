import type { DocumentRef, InputProblem } from '../core/document/document.ts'
import { notFailedProblem } from '../core/document/overwrite-policy.ts'
import { earlierReportProblem } from '../inputs/find/earlier-output.ts'
import type { SummaryInspector } from '../storage/summary-inspector.ts'

/**
 * Classifies a document by the ledger, without reading it. Returns `up_to_date`, the problem that prevents a
 * summary, or undefined for a document to summarize.
 */
export function classifySource(
  source: DocumentRef,
  inspector: Pick<SummaryInspector, 'isEarlierDigest' | 'isUpToDate' | 'isLeftOut'>,
): 'up_to_date' | InputProblem | undefined {
  // A run without --digest may find the digest of an earlier run among its documents.
  if (!source.namedByUser && inspector.isEarlierDigest(source.path)) return earlierReportProblem
  if (inspector.isUpToDate(source)) return 'up_to_date'
  return inspector.isLeftOut(source.path) ? notFailedProblem : undefined
}
