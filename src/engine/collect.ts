import type { Attempt } from '../core/attempt.ts'
import type { Batch, BatchAnswer, Packed } from '../core/batch.ts'
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
import { AskError, judge, mayBeBilled } from '../core/failure.ts'
import type { Outcome } from '../core/outcome.ts'
import type { Picodollars, PriceOf } from '../core/price.ts'
import type { RunError } from '../errors.ts'
import type { Aside } from './budgeted.ts'
import type { Halt } from './halt.ts'
import { patiently } from './patient.ts'
import { pool } from './pool.ts'
import type { Preparing } from './prepare.ts'

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

/** A request of the batch and what became of it. */
interface Answered {
  readonly packed: Packed
  readonly result: BatchAnswer['result']
}

/** So many answers are made safe at once: the disk takes them together. */
const atOnce = 64

/** A download that is cut off at the end of a line looks whole; so often it is begun anew where answers are missing. */
const mostDownloads = 5

/**
 * Yields an outcome for every document of a batch that has ended, each safe by then; those that are in the ledger
 * already are passed over, so that what was cut off can simply be done again. Once all are safe the batch is forgotten.
 * @param again told instead of what the service did not do, and did not bill
 */
export async function* collect(
  batch: StoredBatch,
  ended: Batch,
  { sourceOf, again, ...job }: CollectJob & { sourceOf(path: string): Source; again(outcome: Outcome): void },
): AsyncGenerator<Outcome> {
  const { batches, halt, listener, aside } = job
  const { id } = ended
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
    // It was a while ago that somebody looked at what is there.
    const problem = await job.objection?.(outcome.source, packed.asked)
    if (problem !== undefined && problem.as !== 'skip') return finish(displaced(outcome, problem))
    const doubts = job.doubts?.(outcome.text, undefined) ?? []
    return finish(doubts.length > 0 ? { ...outcome, doubts } : outcome)
  }

  if (ended.archived) {
    for (const packed of missing.values()) yield await finish(outcomeGone(inBatch(packed)))
    missing.clear()
  }
  const strangers = new Set<string>()
  /** Answers that have not come before. */
  async function* fresh(): AsyncGenerator<Answered> {
    for await (const { id: name, result } of batches.answers(id, halt.abort)) {
      const packed = missing.get(name)
      if (packed !== undefined) {
        missing.delete(name)
        yield { packed, result }
      } else if (!batch.documents.has(name)) strangers.add(name)
    }
  }
  for (let downloads = 1; missing.size > 0; downloads++) {
    if (downloads > mostDownloads) {
      listener.odd(`the batch ${id} has no answer for ${missing.size} of its documents; run again later`)
      for (const packed of missing.values())
        again(pendingInBatch(inBatch(packed), `no answer in the batch ${id}`))
      return
    }
    const left = missing.size
    try {
      for await (const outcome of pool(fresh(), { size: () => atOnce }, concluded))
        if (outcome !== undefined) yield outcome
    } catch (error) {
      if (!(error instanceof AskError) || judge(error.fault).blame !== 'service') throw error
      // The next download begins after a wait, and passes over what has come.
      const patience = { ...job, drain: halt.drain, failed: listener.troubled }
      await patiently(() => batches.retrieve(id, halt.abort), patience)
    }
    // However often it breaks off, it gets on.
    if (missing.size < left) downloads = 0
  }
  if (strangers.size > 0)
    listener.odd(
      `the results of the batch ${id} have ${strangers.size} that nobody asked for; they are left out`,
    )
  if (safe) await batch.forget()
}
