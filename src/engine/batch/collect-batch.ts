import type { Batch, BatchResult, Packed } from '../../core/batch/batch.ts'
import type { Batches } from '../../core/batch/batch-api.ts'
import { displaced, outcomeInBatch, pendingInBatch } from '../../core/batch/batch-outcome.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import type { Source } from '../../core/document/document.ts'
import { unchanged, unwritable } from '../../core/document/overwrite-policy.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { mayConcernOneDocument } from '../../core/errors/refusal.ts'
import { type Fault, isNotFound, mayBeBilled } from '../../core/errors/request-error.ts'
import type { Picodollars, PriceOf } from '../../core/pricing/price.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import type { AnswerChecks, AnswerSettings } from '../../core/request/answer-settings.ts'
import type { Attempt } from '../../core/request/attempt.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import { manyOf } from '../../core/text/format-number.ts'
import { RunError } from '../../errors.ts'
import type { Aside } from '../middleware/with-budget.ts'
import { pool } from '../pool.ts'
import type { Preparing } from '../prepare.ts'
import type { Halt } from '../shutdown.ts'
import { type Answered, readResults } from './read-results.ts'

export interface CollectJob extends Pick<Preparing, 'objection'> {
  readonly batches: Batches
  readonly priceOf: PriceOf
  readonly explain: (error: AskError) => RunError
  /** @throws RunError `io` where they cannot be prepared */
  readonly checksFor: (settings: AnswerSettings) => Promise<AnswerChecks>
  /** What was set aside for documents, by their paths. */
  readonly aside: Map<string, Aside>
  /** Makes an outcome safe from any crash; false where it could not. */
  readonly keep?: (outcome: Outcome) => Promise<boolean>
  /** Told of each outcome, as it comes. */
  readonly ended?: (outcome: Outcome) => void
  readonly halt: Halt
  readonly clock: Clock
  readonly random: () => number
  /** How often a call is made again that the API could not answer for now. */
  readonly retries: number
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

export interface Collecting {
  sourceOf(path: string): Source
  /** The text of a document as it was sent; undefined where that is not at hand any more. */
  textOf(packed: Packed): Promise<string | undefined>
  /** Called, instead of a yield, for a document that the API did not do, and did not bill. */
  again(outcome: Outcome): void
  /** Called for each other document that is finished. */
  settled(outcome: Outcome): void
}

/** Characters of a prompt around a document; few are longer. */
const longestPrompt = 5000

/** So many answers are made safe at once: the disk takes them together. */
const atOnce = 64

/**
 * Yields an outcome for each document of a batch that has ended and is not settled yet, each safe by then. Once all are
 * settled, the batch is forgotten. It is kept where the results have no answer for some: they may have been billed.
 * @throws AskError, RunError `refused` where the results cannot be fetched; RunError `io`; the reason of a stop
 */
export async function* collect(
  batch: StoredBatch,
  ended: Batch,
  job: CollectJob & Collecting,
): AsyncGenerator<Outcome> {
  const missing = new Map([...batch.documents].filter(([, { path }]) => !batch.isSettled(path)))
  const count = missing.size
  const conclude = concluding(ended, await checksOf(missing, job), job)
  const settled: string[] = []
  const concluded = async ({ id, ...answered }: Concludable): Promise<Outcome | undefined> => {
    const { outcome, isSafe } = await conclude(answered).catch((error: unknown) => {
      if (!(error instanceof RunError)) throw error
      // The answer stays in the batch; others that are finished by now must still be written.
      job.halt.stop(error)
      return { outcome: undefined, isSafe: false }
    })
    if (isSafe) settled.push(id)
    return outcome
  }
  try {
    const results = ended.archived ? gone(missing) : resultsOf(batch, ended, missing, job)
    for await (const outcome of pool(results, { size: () => atOnce }, concluded))
      if (outcome !== undefined) yield outcome
    if (missing.size > 0)
      job.listener.odd(
        `the results of the batch ${ended.id} have no answer for ${manyOf(missing.size, 'document')}; run again later`,
      )
  } finally {
    if (settled.length === count) await batch.forget()
    else if (settled.length > 0) await batch.settle(settled)
  }
}

interface Concludable extends Omit<Answered, 'result'> {
  readonly result: BatchResult | 'gone'
}

async function* resultsOf(
  { documents }: StoredBatch,
  { id, created }: Batch,
  missing: Map<string, Packed>,
  job: CollectJob,
): AsyncGenerator<Concludable> {
  try {
    yield* withRefusalsLast(readResults({ id, documents }, missing, job))
  } catch (error) {
    if (!(error instanceof AskError) || !isNotFound(error.fault)) throw error
    if (job.clock.wall() - created < resultsLastMs)
      throw new RunError(
        'refused',
        `the API has ended the batch ${id}, but does not find its results; run again later`,
      )
    yield* gone(missing)
  }
}

/**
 * Holds back requests that were refused as if for all. Where another request of the batch was answered, each concerns
 * its document alone.
 */
async function* withRefusalsLast(results: AsyncIterable<Answered>): AsyncGenerator<Answered> {
  const refused: { readonly answered: Answered; readonly fault: Fault }[] = []
  let hasAnswers = false
  for await (const answered of results) {
    const { result } = answered
    if (typeof result === 'object' && 'fault' in result && mayConcernOneDocument(result.fault))
      refused.push({ answered, fault: result.fault })
    else {
      hasAnswers ||= typeof result === 'object' && 'reply' in result
      yield answered
    }
  }
  for (const { answered, fault } of refused)
    yield hasAnswers ? { ...answered, result: { fault: { ...fault, isOnlyThis: true } } } : answered
}

function* gone(missing: Map<string, Packed>): Generator<Concludable> {
  for (const [id, packed] of missing) {
    missing.delete(id)
    yield { id, packed, result: 'gone' }
  }
}

/** Results can be fetched for this long after the batch was created. */
const resultsLastMs = 29 * 86_400_000

interface Concluded {
  /** None where the document is released: the API did not do it. */
  readonly outcome?: Outcome | undefined
  /** The document needs no answer from this batch any more. */
  readonly isSafe: boolean
}

type ChecksFor = (settings: AnswerSettings) => AnswerChecks

async function checksOf(missing: ReadonlyMap<string, Packed>, job: CollectJob): Promise<ChecksFor> {
  const checks = new Map<AnswerSettings, AnswerChecks>()
  for (const { asked } of missing.values())
    if (!checks.has(asked.settings)) checks.set(asked.settings, await job.checksFor(asked.settings))
  return (settings) => checks.get(settings) as AnswerChecks
}

/** Makes outcomes of answers. */
function concluding(
  ended: Batch,
  checksFor: ChecksFor,
  { sourceOf, textOf, again, settled, aside, halt, listener, ...job }: CollectJob & Collecting,
): (answered: Omit<Concludable, 'id'>) => Promise<Concluded> {
  const release = (path: string, cost?: Picodollars) => {
    aside.get(path)?.(cost)
    aside.delete(path)
  }
  const finish = async (outcome: Outcome): Promise<Concluded> => {
    for (const attempt of outcome.attempts) listener.answered(attempt)
    const { path } = outcome.source
    const { fault, cost } = outcome.attempts.at(-1) ?? {}
    release(path, fault !== undefined && !mayBeBilled(fault) ? 0n : cost)
    settled(outcome)
    job.ended?.(outcome)
    return { outcome, isSafe: (await job.keep?.(outcome)) !== false }
  }
  return async ({ packed, result }) => {
    const { path, asked } = packed
    const it = { source: sourceOf(path), packed, batch: ended }
    const { flaw, doubts } = checksFor(asked.settings)
    const outcome = outcomeInBatch(it, result, job.priceOf, flaw)
    if ('why' in outcome) {
      release(path, 0n)
      if (outcome.refused !== undefined) halt.stop(job.explain(new AskError(outcome.refused)))
      again(pendingInBatch(it, outcome.why))
      return { isSafe: true }
    }
    if (outcome.status !== 'summarized') return finish(outcome)
    // The file that the summary belongs in was last looked at before the request was sent.
    const problem = await job.objection?.(outcome.source, asked)
    if (problem !== undefined && unwritable.has(problem.type)) {
      listener.odd(`${outcome.source.path} stays in the batch ${ended.id}: ${problem.message}`)
      return { isSafe: false }
    }
    if (problem !== undefined && problem.type !== unchanged.type) return finish(displaced(outcome, problem))
    // Reading a document again takes long, and only a short one can be copied.
    const isShort =
      asked.settings.schema === undefined && asked.characters < 2 * outcome.text.length + longestPrompt
    const found = doubts(outcome.text, isShort ? await textOf(packed) : undefined)
    return finish(found.length > 0 ? { ...outcome, doubts: found } : outcome)
  }
}
