import type { ReportJson } from '../core/report/report-json.ts'

/** Counts the documents of a report by their latest known status. */
export function countOutcomes({ documents, errors, runs }: ReportJson) {
  const count = (status: string) => documents.filter((row) => row.status === status).length
  const pendingRows = count('pending')
  return {
    summarized: count('summarized'),
    failed: count('failed'),
    transient: errors.reduce((sum, error) => sum + (error.transient ? error.count : 0), 0),
    pending: runs.length === 1 ? Math.max(pendingRows, runs[0]?.total_pending ?? 0) : pendingRows,
  }
}

/** Counts all documents of a report except skipped ones: summarized, failed and pending. */
export function countKnownDocuments(report: ReportJson): number {
  const { summarized, failed, pending } = countOutcomes(report)
  return summarized + failed + pending
}

/**
 * Counts all documents of the output folder. Undefined if its state is not known, or if the last run did not get
 * to documents that may have an older summary and would be counted twice.
 */
export function countFolderDocuments({
  output_folder: folder,
  runs,
  documents,
}: ReportJson): number | undefined {
  if (folder === null) return undefined
  const { summarized, failed, pending, not_reached: notReached } = folder
  const known = summarized + failed + pending
  if (notReached === 0) return known
  const isFirstRun = runs.length === 1 && documents.length === known
  return isFirstRun ? known + notReached : undefined
}
