import type { DocumentRef } from '../core/document/document.ts'
import { createEarlierResults, type EarlierResults } from '../storage/earlier-results.ts'
import type { Ledger } from '../storage/ledger/read-ledger.ts'
import { createSummaryInspector, type SummaryInspector } from '../storage/summary-inspector.ts'
import type { OutputOptions } from './output.ts'
import { getReplyOrigin } from './provider.ts'

/** What a run knows about the results in an output folder. */
export interface FolderInspection {
  readonly inspector: SummaryInspector
  readonly earlier: EarlierResults
}

/**
 * Returns what a run with these options does about the results in an output folder. Only reads.
 * @param out the output folder; absolute
 * @param sources all documents of the run, so that no two documents get the same file
 * @param foldsCase whether the file system of the output folder ignores case in names
 */
export function inspectFolder(
  out: string,
  sources: readonly DocumentRef[],
  ledger: Pick<Ledger, 'summaries' | 'unfinishedPaths' | 'failures' | 'damaged'>,
  foldsCase: boolean,
  { options, promptChoice, baseUrl }: Pick<OutputOptions, 'options' | 'promptChoice' | 'baseUrl'>,
): FolderInspection {
  const { redo = [], force } = options
  const { getProvenance: findProvenance, structured } = promptChoice
  const replies = getReplyOrigin(options, baseUrl)
  const earlier = createEarlierResults(out, { ledger, findProvenance, redo, replies })
  const inspector = createSummaryInspector(out, sources, {
    ledger,
    findProvenance,
    foldsCase,
    force,
    redo,
    structured,
    earlier,
  })
  return { inspector, earlier }
}
