import type { DocumentRef } from '../core/document/document.ts'
import type { DocumentCount } from '../core/document/document-count.ts'
import type { SharedBudget } from '../engine/middleware/shared-budget.ts'
import type { ReadDocument } from '../inputs/read/read-document.ts'
import type { NamedOutputs } from './named-outputs.ts'
import type { RunRequests } from './request-builder.ts'

/** What a run is to do, all of it checked. */
export interface RunPlan {
  readonly sources: readonly DocumentRef[]
  /** Documents that were found and left out, by the reason. */
  readonly skipped?: ReadonlyMap<string, DocumentCount>
  /** Patterns that no file matches, which was reported. */
  readonly unmatched: readonly string[]
  readonly requests: RunRequests
  /** The output folder; undefined for stdout. */
  readonly out: string | undefined
  /** The files that flags name for writing. */
  readonly namedOutputs: Pick<NamedOutputs, 'report' | 'log'>
  /** When it began, by the clock: milliseconds. */
  readonly startMs: number
  /** How documents are read that are no files; as files are, if left out. */
  readonly read?: ReadDocument
  /** What is left of the budget of a run before this one; by the options, if left out. */
  readonly budget?: SharedBudget | undefined
  /** Waits for the batches of earlier runs, too. */
  readonly shouldWait?: boolean
  /** Leaves the batches of earlier runs to other runs. */
  readonly shouldCollect?: false
}
