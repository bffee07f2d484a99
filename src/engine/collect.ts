import type { Attempt } from '../core/attempt.ts'
import type { Batch, BatchAnswer, Packed } from '../core/batch.ts'
import type { StoredBatch } from '../core/batch-store.ts'
import type { Batches } from '../core/batches.ts'
import type { Clock } from '../core/clock.ts'
import type { Source } from '../core/document.ts'
import { AskError, type Fault, failureOf, judge, mayBeBilled } from '../core/failure.ts'
import type { Outcome } from '../core/outcome.ts'
import type { Picodollars, PriceOf } from '../core/price.ts'
import { flawOf } from '../core/reply.ts'
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
  { id, created, ended = created, archived }: Batch,
  { sourceOf, again, ...job }: CollectJob & { sourceOf(path: string): Source; again(outcome: Outcome): void },
): AsyncGenerator<Outcome> {
  const { batches, halt, listener, aside } = job
  const missing = new Map([...batch.documents].filter(([, { path }]) => !batch.isRecorded(path)))
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
  const common = (packed: Packed) => ({
    source: sourceOf(packed.path),
    asked: packed.asked,
    elapsedMs: ended - created,
  })
  if (archived) {
    for (const packed of missing.values()) yield await finish(lost(common(packed), attemptOf(packed, gone)))
    missing.clear()
  }
  function attemptOf(packed: Packed, { fault, ...rest }: Partial<Attempt> = {}): Attempt {
    return {
      path: packed.path,
      attempt: 1,
      at: created,
      elapsedMs: ended - created,
      model: packed.asked.facts.model,
      batch: id,
      ...rest,
      ...(fault !== undefined && { fault, ...(fault.status !== undefined && { status: fault.status }) }),
    }
  }

  /** Undefined where there is to be another. */
  const outcomeOf = async ({ packed, result }: Answered): Promise<Outcome | undefined> => {
    const base = common(packed)
    const unbilled = (reason: string) => {
      settle(packed.path, 0n)
      again({ ...base, attempts: [], status: 'pending', reason, later: true })
    }
    if (result === 'canceled' || result === 'expired') return void unbilled(`${result} in the batch ${id}`)
    if ('fault' in result) {
      const { fault } = result
      const { blame } = judge(fault)
      if (blame === 'service') return void unbilled(`${fault.type} in the batch ${id}`)
      if (blame === 'run') {
        halt.stop(job.explain(new AskError(fault)))
        return void unbilled(fault.message)
      }
      const attempts = [attemptOf(packed, { fault })]
      return finish({ ...base, attempts, status: 'failed', failure: failureOf(fault) })
    }
    const { reply } = result
    const { model, usage, terms } = reply
    const asked = packed.asked.facts.model
    const cost = usage && job.priceOf({ model, asked, usage, ...(terms && { terms }) })
    const attempts = [
      attemptOf(packed, {
        model,
        status: 200,
        ...(usage !== undefined && { usage }),
        ...(cost !== undefined && { cost }),
      }),
    ]
    const flaw = flawOf(reply, packed.maxTokens)
    if (flaw !== undefined)
      return finish({ ...base, attempts, status: 'failed', failure: flaw, partial: reply.text })
    // It was a while ago that somebody looked at what is there.
    const problem = await job.objection?.(base.source, packed.asked)
    if (problem === undefined || problem.as === 'skip')
      return finish({ ...base, attempts, status: 'summarized', text: reply.text })
    const { type, message } = problem
    const failure = { kind: 'output', type, message, transient: false } as const
    return finish({ ...base, attempts, status: 'failed', failure, partial: reply.text })
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
        again({
          ...common(packed),
          attempts: [],
          status: 'pending',
          reason: `no answer in the batch ${id}`,
          later: true,
        })
      return
    }
    const left = missing.size
    try {
      for await (const outcome of pool(fresh(), { size: () => atOnce }, outcomeOf))
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

/** Billed, perhaps, and never seen. */
function lost(base: Pick<Outcome, 'source' | 'asked' | 'elapsedMs'>, attempt: Attempt): Outcome {
  const { batch } = attempt
  const failure = {
    kind: 'reply',
    type: 'results_gone',
    message: `the results of the batch ${batch} are gone, 29 days after it was made; the next run asks, and pays, again`,
    transient: false,
  } as const
  return { ...base, attempts: [attempt], status: 'failed', failure }
}

const gone: { readonly fault: Fault } = {
  fault: { kind: 'malformed', type: 'results_gone', message: 'gone' },
}
