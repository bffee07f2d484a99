import type { Attempt } from '../core/attempt.ts'
import type { Batch, Packed } from '../core/batch.ts'
import {
  displaced,
  type InBatch,
  outcomeGone,
  outcomeInBatch,
  pendingInBatch,
} from '../core/batch-outcome.ts'
import type { StoredBatch } from '../core/batch-store.ts'
import type { Batches } from '../core/batches.ts'
import type { Clock } from '../core/clock.ts'
import type { Source } from '../core/document.ts'
import type { Doubt } from '../core/doubts.ts'
import { AskError, mayBeBilled } from '../core/failure.ts'
import type { Outcome } from '../core/outcome.ts'
import type { Picodollars, PriceOf } from '../core/price.ts'
import { manyOf } from '../core/whole.ts'
import { RunError } from '../errors.ts'
import type { Aside } from './budgeted.ts'
import type { Halt } from './halt.ts'
import { pool } from './pool.ts'
import type { Preparing } from './prepare.ts'
import { type Answered, readResults } from './read-results.ts'

export interface CollectJob extends Pick<Preparing, 'objection'> {
  readonly batches: Batches
  readonly priceOf: PriceOf
  readonly explain: (error: AskError) => RunError
  /** See the job of a run. */
  readonly doubts?: (summary: string, document: undefined) => readonly Doubt[]
  readonly flaw?: (text: string, path: string) => string | undefined
  /** What was set aside for documents, by their paths. */
  readonly aside: Map<string, Aside>
  /** Makes an outcome safe from any crash; false where it could not. */
  readonly keep?: (outcome: Outcome) => Promise<boolean>
  /** Told of each outcome, as it comes. */
  readonly ended?: (outcome: Outcome) => void
  readonly halt: Halt
  readonly clock: Clock
  readonly random: () => number
  readonly listener: CollectListener
}

export interface CollectListener {
  /** A request was answered, in whatever way. */
  answered(attempt: Attempt): void
  /** Something went wrong that will pass. */
  troubled(error: AskError, waitMs: number): void
  /** Something about a batch that its owner should hear of. */
  odd(text: string): void
}

interface Collecting {
  sourceOf(path: string): Source
  /** Called, instead of a yield, for a document that the API did not do, and did not bill. */
  again(outcome: Outcome): void
  /** Called for each other document that is finished. */
  settled(outcome: Outcome): void
}

/** So many answers are made safe at once: the disk takes them together. */
const atOnce = 64

/**
 * Yields an outcome for each document of a batch that has ended, each safe by then; those that are in the ledger already
 * are passed over, so that what was cut off can simply be done again. The batch is forgotten once all are safe.
 * It is kept, too, where the results have no answer for some: they may have been billed.
 * @throws AskError, RunError `refused` where the results cannot be fetched; the reason of a stop
 */
export async function* collect(
  batch: StoredBatch,
  ended: Batch,
  { sourceOf, again, settled, ...job }: CollectJob & Collecting,
): AsyncGenerator<Outcome> {
  const { halt, listener, aside } = job
  const missing = new Map([...batch.documents].filter(([, { path }]) => !batch.isRecorded(path)))
  const inBatch = (packed: Packed): InBatch => ({ source: sourceOf(packed.path), packed, batch: ended })
  const settle = (path: string, cost?: Picodollars) => {
    aside.get(path)?.(cost)
    aside.delete(path)
  }
  let safe = true
  const finish = async (outcome: Outcome) => {
    for (const attempt of outcome.attempts) listener.answered(attempt)
    const { path } = outcome.source
    const { fault, cost } = outcome.attempts.at(-1) ?? {}
    settle(path, fault !== undefined && !mayBeBilled(fault) ? 0n : cost)
    settled(outcome)
    job.ended?.(outcome)
    if ((await job.keep?.(outcome)) === false) safe = false
    return outcome
  }
  /** Undefined where there is to be another. */
  const concluded = async ({ packed, result }: Answered): Promise<Outcome | undefined> => {
    const outcome = outcomeInBatch(inBatch(packed), result, job.priceOf, job.flaw)
    if ('why' in outcome) {
      settle(packed.path, 0n)
      if (outcome.refused !== undefined) halt.stop(job.explain(new AskError(outcome.refused)))
      again(pendingInBatch(inBatch(packed), outcome.why))
      return undefined
    }
    if (outcome.status !== 'summarized') return finish(outcome)
    // The file that the summary belongs in was last looked at before the request was sent.
    const problem = await job.objection?.(outcome.source, packed.asked)
    if (problem !== undefined && problem.as !== 'skip') return finish(displaced(outcome, problem))
    const doubts = job.doubts?.(outcome.text, undefined) ?? []
    return finish(doubts.length > 0 ? { ...outcome, doubts } : outcome)
  }

  let isGone = ended.archived
  try {
    const answered = readResults(
      { id: ended.id, documents: batch.documents },
      isGone ? new Map() : missing,
      job,
    )
    for await (const outcome of pool(answered, { size: () => atOnce }, concluded))
      if (outcome !== undefined) yield outcome
  } catch (error) {
    if (!(error instanceof AskError) || error.fault.status !== 404) throw error
    if (job.clock.wall() - ended.created < resultsLastMs) throw new RunError('refused', noResults(ended.id))
    isGone = true
  }
  if (isGone) {
    for (const packed of missing.values()) yield await finish(outcomeGone(inBatch(packed)))
    missing.clear()
  }
  if (missing.size > 0)
    listener.odd(
      `the results of the batch ${ended.id} have no answer for ${manyOf(missing.size, 'document')}; run again later`,
    )
  else if (safe) await batch.forget()
}

/** Results can be fetched for this long after the batch was created. */
const resultsLastMs = 29 * 86_400_000

function noResults(id: string): string {
  return `the API has ended the batch ${id}, but does not find its results; run again later`
}
