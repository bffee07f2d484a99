import type { Citation } from '../citations/citation.ts'
import type { QualityIssue } from './quality-checks.ts'

/** The summary of another document for which the request is the same, so that it need not be sent. */
export interface ReusableSummary {
  readonly action: 'reuse'
  readonly text: string
  readonly citations?: readonly Citation[]
  readonly qualityIssues?: readonly QualityIssue[]
  readonly from: SummaryOrigin
}

/** The document whose summary is reused. */
export interface SummaryOrigin {
  /** The document's path. */
  readonly path: string
  /** Whether that document no longer exists: it was moved, and so is its summary. */
  readonly isMove: boolean
  /** The id of the model that answered, and the request id, if they are known. */
  readonly model?: string
  readonly requestId?: string
}
