import type { DocumentRef } from '../core/document/document.ts'
import { computeCwdFromOut } from '../core/document/document-path.ts'
import { addObservation, type TokenHistory } from '../core/estimate/estimate-cost.ts'
import type { RunEnd } from '../core/run/ledger-entry.ts'
import { readLedger } from '../storage/ledger/read-ledger.ts'
import { canLearnFrom } from '../storage/ledger/simulated-entry.ts'
import { ledgerPath } from '../storage/output-folder.ts'
import { createReusableSummaries } from '../storage/reusable-summaries.ts'
import { listStoredBatches } from '../storage/stored-batches.ts'
import { createEarlierResultFinder } from './find-earlier-result.ts'
import { type FolderInspection, inspectFolder } from './inspect-folder.ts'
import type { Output } from './output.ts'
import type { RunContext } from './run-context.ts'

/** The state of an output folder that a dry run needs. */
export interface ReadOutputState {
  readonly inspection: FolderInspection
  readonly findEarlierResult: Output['findEarlierResult']
  /** The tokens that earlier documents needed. */
  readonly history: TokenHistory
  readonly lastRunEnd: RunEnd | undefined
  /** Documents in batches that a run would collect, and the hashes of their requests. */
  readonly batchedPaths: ReadonlySet<string>
  readonly batchedHashes: ReadonlySet<string>
}

/**
 * Reads the ledger and the stored batches of an output folder. Takes no lock and changes nothing.
 * @param out the output folder; absolute
 * @throws ExitError `usage` if another version of claude-batch wrote the ledger, or `ioError`
 */
export async function readOutputState(
  out: string,
  sources: readonly DocumentRef[],
  context: Pick<RunContext, 'options' | 'runtime' | 'promptChoice' | 'baseUrl'>,
): Promise<ReadOutputState> {
  const cwdFromOut = computeCwdFromOut(out, context.runtime.cwd)
  const history: TokenHistory = new Map()
  const kind = { isSimulated: context.options.simulate }
  const ledger = await readLedger(ledgerPath(out), cwdFromOut, (entry, _path, run) => {
    if (canLearnFrom(run, kind)) addObservation(history, entry)
  })
  // Detecting a case-insensitive file system would need a write.
  const inspection = inspectFolder(out, sources, ledger, false, context)
  const { summaries } = ledger
  const { earlier } = inspection
  const reusable = createReusableSummaries(out, { summaries, earlier, cwd: context.runtime.cwd })
  const batches = await listStoredBatches({ out, cwdFromOut })
  const batchItems = batches
    .filter(({ endpoint }) => endpoint === context.baseUrl)
    .flatMap(({ items }) => [...items.values()])
  return {
    inspection,
    findEarlierResult: createEarlierResultFinder(out, inspection, reusable, summaries),
    history,
    lastRunEnd: canLearnFrom(ledger.lastRun, kind) ? ledger.lastEnd : undefined,
    batchedPaths: new Set(batchItems.map(({ path }) => path)),
    batchedHashes: new Set(batchItems.map(({ asked }) => asked.requestHash)),
  }
}
