import type { Source } from '../core/document/document.ts'
import type { Doubt } from '../core/document/quality-checks.ts'
import { AskError, StoppedError } from '../core/errors/ask-error.ts'
import { judge } from '../core/errors/classify-error.ts'
import { failureOf } from '../core/errors/failure.ts'
import type { Clock } from '../core/rate-limit/clock.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Attempt } from '../core/request/attempt.ts'
import { flawOf, misfit, type Reply } from '../core/request/reply.ts'
import type { Asked, Outcome } from '../core/run/outcome.ts'
import { RunError } from '../errors.ts'
import { askInParts } from './map-reduce.ts'
import type { Slots } from './middleware/semaphore.ts'
import { pool } from './pool.ts'
import { declined, type Preparing, prepare } from './prepare.ts'
import type { Halt } from './shutdown.ts'

/** A run, as the engine needs it. */
export interface Job<Given extends Source = Source> extends Preparing<Given> {
  readonly sources: Iterable<Given> | AsyncIterable<Given>
  /** Called with a slot in hand. */
  readonly ask: Ask
  /** Asks about parts of documents, which may be remembered, and takes slots by itself; `ask`, if left out. */
  readonly askPart?: Ask
  /** Why a whole answer is not what was asked for; undefined where it is. Any is, if left out. */
  readonly flaw?: (text: string, path: string) => string | undefined
  /** Told of each outcome before anything new is started, which it may forbid. */
  readonly ended?: (outcome: Outcome) => void
  /** Why a summary may be worth a look. @param document its text, where it is at hand */
  readonly doubts?: (summary: string, document: string | undefined) => readonly Doubt[]
  /** Makes an outcome safe before its slot is free: what a crash can cost is never more than the slots. */
  readonly keep?: (outcome: Outcome) => Promise<unknown>
  /** What to tell the user when the account or setup refuses. */
  readonly explain: (error: AskError) => RunError
  /** What the requests hold; as many documents are open as there are places. */
  readonly slots: Slots
  /** See the pool's option of that name. */
  readonly ahead?: number
  readonly halt: Halt
  readonly clock: Clock
}

/**
 * Yields one outcome per source, as they finish. Never throws for a document; a fault of the run stops it through
 * `halt`, and whatever was not done by then comes out as pending.
 */
export function summarizeAll<Given extends Source>(job: Job<Given>): AsyncGenerator<Outcome> {
  const { slots, ahead, sources } = job
  const size = { size: slots.places, onGrown: slots.onMorePlaces }
  return pool(sources, ahead === undefined ? size : { ...size, ahead }, (source) => summarizeOne(source, job))
}

async function summarizeOne<Given extends Source>(source: Given, job: Job<Given>): Promise<Outcome> {
  const { halt, slots, clock } = job
  const start = clock.now()
  let asked: Asked | undefined
  let document: string | undefined
  const base = (attempts: readonly Attempt[]) => ({
    source,
    ...(asked !== undefined && { asked }),
    attempts,
    elapsedMs: clock.now() - start,
  })
  const pending = (attempts: readonly Attempt[] = []): Outcome => ({
    ...base(attempts),
    status: 'pending',
    reason: halt.drain.reason instanceof Error ? halt.drain.reason.message : 'stopped',
  })

  const answered = (reply: Reply, maxTokens: number, asked: Asked): Outcome => {
    const { text, attempts } = reply
    const flaw = flawOf(reply, maxTokens)
    const why = flaw === undefined ? job.flaw?.(text, source.path) : undefined
    const failure = why === undefined ? flaw : misfit(why, reply.requestId)
    if (failure === undefined) {
      const doubts = job.doubts?.(text, document) ?? []
      return { ...base(attempts), asked, status: 'summarized', text, ...(doubts.length > 0 && { doubts }) }
    }
    return { ...base(attempts), status: 'failed', failure, partial: text }
  }

  /** What work gives, or the outcome that follows from what it throws, unless that is a bug. */
  const orOutcome = async <T>(work: () => Promise<T>): Promise<T | Outcome> => {
    try {
      return await work()
    } catch (thrown) {
      const sent = thrown instanceof AskError || thrown instanceof StoppedError ? thrown.attempts : []
      const error = thrown instanceof StoppedError ? thrown.cause : thrown
      if (error instanceof RunError) halt.stop(error)
      else if (error instanceof AskError && judge(error.fault).blame === 'run') halt.stop(job.explain(error))
      else if (error instanceof AskError)
        return { ...base(sent), status: 'failed', failure: failureOf(error.fault) }
      else if (!isStop(error)) throw error
      return pending(sent)
    }
  }
  const isStop = (error: unknown) => error === halt.drain.reason || error === halt.abort.reason
  const finish = async (outcome: Outcome): Promise<Outcome> => {
    job.ended?.(outcome)
    await job.keep?.(outcome)
    return outcome
  }

  if (halt.drain.aborted) return finish(pending())
  const prepared = await orOutcome(() => prepare(source, job))
  if ('status' in prepared) return finish(prepared)
  asked = prepared.asked
  if ('problem' in prepared) return finish(declined(prepared, base([])))
  const { asked: question } = prepared
  document = prepared.text
  if ('parts' in prepared) {
    const { parts } = prepared
    const ask = slots.lend(job.ask, halt.drain)
    const { askPart = ask } = job
    const inParts = async (): Promise<Outcome> => {
      const done = await askInParts(parts, { ask, askPart }, halt.abort)
      if ('flaw' in done)
        return { ...base(done.attempts), status: 'failed', failure: done.flaw, partial: done.partial }
      return answered({ ...done.reply, attempts: done.attempts }, done.maxTokens, question)
    }
    return finish(await orOutcome(inParts))
  }
  const { request } = prepared
  const whole = async () => answered(await job.ask(request, halt.abort), request.maxTokens, question)
  return slots
    .hold(halt.drain, halt.abort, async () => finish(await orOutcome(whole)))
    .catch((error: unknown) => {
      if (isStop(error)) return finish(pending())
      throw error
    })
}
