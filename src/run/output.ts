import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { BatchStore } from '../core/batch/batch-store.ts'
import type { ChunkCache } from '../core/chunking/chunk-cache.ts'
import type { DocumentRef } from '../core/document/document.ts'
import type { DocumentCount } from '../core/document/document-count.ts'
import type { TokenHistory } from '../core/estimate/estimate-cost.ts'
import type { OnText } from '../core/request/ask.ts'
import type { RunEnd, RunStart } from '../core/run/ledger-entry.ts'
import type { Outcome } from '../core/run/outcome.ts'
import type { Sink } from '../core/run/sink.ts'
import type { PrepareOptions } from '../engine/prepare.ts'
import type { Runtime } from '../runtime.ts'
import type { EarlierResults } from '../storage/earlier-results.ts'
import type { RerunReason } from '../storage/rerun-reason.ts'
import type { SummaryInspector } from '../storage/summary-inspector.ts'
import type { PromptChoice } from './request-builder.ts'

/** The output of a run: stdout or an output folder. */
export interface Output {
  /** Identifies the run in the ledger and in reports. */
  readonly runStart: RunStart
  readonly sink: Sink
  /** Documents that the run works on. */
  readonly pending: readonly DocumentRef[]
  /** Documents whose summary is up to date; none on stdout. */
  readonly upToDate: readonly DocumentRef[]
  /** Documents whose summary was or may have been made with other settings; none on stdout. */
  readonly otherSettings: OtherSettings
  /** Returns the result that makes a request unnecessary, if there is one. */
  readonly findEarlierResult: NonNullable<PrepareOptions['findEarlierResult']>
  /** Keeps an outcome before it is written. Returns whether it is safe from a crash. */
  readonly persist: (outcome: Outcome) => Promise<boolean>
  /** Shows the text of the only document while it arrives; undefined if the output does not show it. */
  readonly onText: OnText | undefined
  /** Whether outcomes are written in the order of `pending`, rather than as they finish. */
  readonly isOrdered: boolean
  /** The state in the output folder; undefined on stdout. */
  readonly folder: FolderState | undefined
  /** Whether the only input was stdin, and it was empty. */
  readonly isInputEmpty?: () => boolean
  /** Releases the output. Call it after the sink is closed. */
  close(): Promise<void>
}

/** Documents whose summary may have been made with other settings, see `SettingsComparison`. */
interface OtherSettings {
  readonly changed: readonly DocumentRef[]
  readonly unclear: readonly DocumentRef[]
}

/** An output that is a folder. */
export interface FolderOutput extends Output {
  readonly folder: FolderState
}

/** The state of earlier runs in an output folder, and functions that record this run. */
export interface FolderState {
  /** The tokens that documents of earlier runs needed. */
  readonly history: TokenHistory
  /** How the last recorded run ended. */
  readonly lastRunEnd: RunEnd | undefined
  readonly rerunReasons: ReadonlyMap<RerunReason, DocumentCount>
  readonly batchStore: BatchStore
  readonly chunkCache: ChunkCache
  /** Whether a summary exists that was made with the settings of this document. */
  hasSucceededBefore(path: string): boolean
  /**
   * Returns the path of a document's summary, relative to the working directory. The summary may not exist
   * yet.
   */
  formatSummaryPath(path: string): string
  readonly checkConflict: SummaryInspector['checkConflict']
  /** Writes an outcome to the journal. Returns whether the write succeeded. */
  persist(outcome: Outcome): Promise<boolean>
  readonly isOnlySettingsChanged: EarlierResults['isOnlySettingsChanged']
  /** Returns how many documents of a folder have a summary, if none of these documents exists any more. */
  countMissing(folder: string): Promise<number>
  /** Returns the run that made a document's summary, by the document's path. */
  findRun(path: string): RunStart | undefined
  /** Records how the run ended. Call it before the sink is closed. @throws ExitError `ioError` */
  recordEnd(entry: RunEnd): Promise<void>
}

export interface OutputOptions {
  readonly options: SummarizeOptions
  readonly runtime: Runtime
  readonly promptChoice: Pick<PromptChoice, 'prompt' | 'model' | 'getProvenance' | 'structured' | 'citations'>
  /** The version of claude-batch. */
  readonly version: string
  /** The API that the run sends requests to. */
  readonly baseUrl: string
  /** Aborted when the run is stopped, which ends the wait for a lock. */
  readonly drainSignal: AbortSignal
}
