import { stripFrontMatter } from '../core/document/front-matter.ts'
import type { KnownSummary } from '../storage/ledger/known-summary.ts'
import { readOutputText } from '../storage/ledger/latest-results.ts'
import type { ReusableSummaries } from '../storage/reusable-summaries.ts'
import type { FolderInspection } from './inspect-folder.ts'
import type { Output } from './output.ts'

/**
 * Returns a function that finds the result which makes a request unnecessary: a failure that would repeat, a summary that
 * was made with other settings, or the summary of another document with the same request.
 * @param out the output folder; absolute
 */
export function createEarlierResultFinder(
  out: string,
  { inspector, earlier }: FolderInspection,
  reusable: Pick<ReusableSummaries, 'find'>,
  summaries: ReadonlyMap<string, KnownSummary>,
): Output['findEarlierResult'] {
  return async (source, asked) => {
    const problem = earlier.findProblem(source, asked)
    if (problem !== undefined) return problem
    const { path } = source
    const { requestHash, answerSettings, fingerprint } = asked
    // The document's own summary is up to date, or the user deleted it to get another one.
    if (summaries.get(path)?.requestHash === requestHash) return undefined
    const file = inspector.getOutput(path, answerSettings).summary
    const found = await reusable.find(path, file, requestHash)
    if (found === undefined) return earlier.findFailureOfOther(requestHash)
    const conflict = await inspector.checkConflict(source, asked)
    if (conflict?.type !== 'untracked') return conflict ?? found
    // The user moved the summary together with its document.
    const text = await readOutputText(out, file)
    return text !== undefined && stripFrontMatter(text, fingerprint).trimEnd() === found.text.trimEnd()
      ? found
      : conflict
  }
}
