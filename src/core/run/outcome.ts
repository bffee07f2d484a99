import type { Fingerprint, Source } from '../document/document.ts'
import type { Doubt } from '../document/quality-checks.ts'
import type { Failure } from '../errors/failure.ts'
import { addUsage, noUsage, type Usage } from '../pricing/usage.ts'
import type { AnswerSettings } from '../request/answer-settings.ts'
import type { Attempt } from '../request/attempt.ts'
import type { TextKind } from '../text/text-kind.ts'
import type { RunFacts } from './provenance.ts'

/** What became of one source: every source gets exactly one. A document's failure is a value, never an exception. */
export type Outcome = Summarized | Failed | Skipped | Pending

interface Common {
  readonly source: Source
  /** What was asked, or would have been; undefined where no document could be read. */
  readonly asked?: Asked
  /** Every sending for it, in order. */
  readonly attempts: readonly Attempt[]
  /** From taking it up to its end, waits included: milliseconds. */
  readonly elapsedMs: number
}

/** What an answer depends on: the document as it was read, and the request made from it. */
export interface Asked {
  readonly key: string
  readonly bytes: Fingerprint
  /** Of the whole prompt; of a document in chunks, of the prompts about all of them. */
  readonly characters: number
  readonly kind: TextKind
  /** In how many chunks the document is asked about, each counted once; undefined where one request holds it. */
  readonly chunks?: number
  /** How it was asked, where an earlier run may have decided that. */
  readonly facts?: RunFacts
  /** What becomes of the answer, likewise. */
  readonly settings?: AnswerSettings
}

interface Summarized extends Common {
  readonly status: 'summarized'
  readonly asked: Asked
  readonly text: string
  /** Why it may be worth a look. */
  readonly doubts?: readonly Doubt[]
}

export interface Failed extends Common {
  readonly status: 'failed'
  readonly failure: Failure
  /** Text that was paid for all the same: a summary that was cut off. */
  readonly partial?: string
}

/** Nothing to do: no document (met in a walk and empty, or not text), or its summary is there (`unchanged`, `edited`). */
interface Skipped extends Common {
  readonly status: 'skipped'
  readonly type: string
  readonly reason: string
}

/** Not done, through no fault of its own: the run was stopped, or the account refused. The next run takes it up. */
interface Pending extends Common {
  readonly status: 'pending'
  readonly reason: string
  /** The same command goes on with it, though nothing had stopped this one. */
  readonly later?: true
}

/** The tokens billed over all attempts that the server counted. */
export function usageOf({ attempts }: Pick<Common, 'attempts'>): Usage {
  return attempts.reduce((sum, { usage }) => (usage === undefined ? sum : addUsage(sum, usage)), noUsage)
}
