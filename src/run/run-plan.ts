import type { DocumentRef } from '../core/document/document.ts'
import type { DocumentCount } from '../core/document/document-count.ts'
import type { ExtensionCounts } from '../core/document/extension-counts.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import type { ReadDocument } from '../inputs/read/read-document.ts'
import type { ShardRecord } from '../storage/shard-file.ts'
import type { NamedOutputs } from './named-outputs.ts'
import type { RunRequests } from './request-builder.ts'

/** A validated plan of a run. */
export interface RunPlan {
  readonly sources: readonly DocumentRef[]
  /** Documents that were found but skipped, by reason. */
  readonly skipped?: ReadonlyMap<string, DocumentCount>
  /** The shard that `sources` are, to be recorded in the output folder. */
  readonly shard?: ShardRecord
  /** Files of the searched folders that are not read because of their extension. */
  readonly notRead?: ExtensionCounts
  /** Patterns that match no file. The user has been warned about them. */
  readonly unmatched: readonly string[]
  /** Absolute paths of input folders in which there is no document. */
  readonly emptyFolders?: readonly string[]
  readonly requests: RunRequests
  /** The output folder; undefined for stdout. */
  readonly out: string | undefined
  /** The output files that flags name. */
  readonly namedOutputs: Pick<NamedOutputs, 'report' | 'log'>
  /** When the run started, in milliseconds of `clock.now()`. */
  readonly startMs: number
  /** Reads documents that are not files; defaults to the file reader. */
  readonly read?: ReadDocument
  /** The budget of a previous run, to spend what is left; defaults to a new budget from the options. */
  readonly budget?: SharedBudget | undefined
  /** Whether the run also waits for the batches of earlier runs. */
  readonly shouldWait?: boolean
  /** If false, the run keeps summaries that were made with other settings, without asking. */
  readonly asksAboutSettings?: false
  /** If false, the run does not collect the batches of earlier runs. */
  readonly shouldCollect?: false
}
