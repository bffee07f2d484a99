import type { Packed } from '../../core/batch/batch.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import type { Source } from '../../core/document/document.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import { manyOf } from '../../core/text/format-number.ts'
import { RunError } from '../../errors.ts'
import { type Collecting, type CollectJob, collect } from './collect-batch.ts'
import type { Finder } from './recover-batch.ts'
import { isTransient } from './retry-until-success.ts'

export interface OpenBatchesJob extends CollectJob, Pick<Collecting, 'sourceOf' | 'textOf'> {
  /** See the job of a run by batches. */
  readonly detached: boolean
  readonly listener: CollectJob['listener'] & {
    /** These are waited for now. */
    waiting(batches: readonly StoredBatch[]): void
  }
}

/** The batches that a run collects from. */
export interface OpenBatches {
  add(batch: StoredBatch): void
  /** Those that may end yet. */
  readonly waiting: readonly StoredBatch[]
  /** Whether a document is in one of them: it is not sent again, even where the batch cannot be collected. */
  hold(path: string): boolean
  /** Collects those that have ended by now. @param again called for each document that the API did not do */
  ended(again: (outcome: Outcome) => void): AsyncGenerator<Outcome>
  /** Collects them as they end, until all have or the run is stopped. @param again as above */
  waited(again: (outcome: Outcome) => void): AsyncGenerator<Outcome>
  /** Ends the run where a batch cannot be collected. */
  stopIfRefused(): void
  /** An outcome for each document that is still in one of them. */
  pending(): Generator<Outcome>
}

/** One batch that cannot be collected, now or ever, does not hold up the others. */
export function createOpenBatches(
  batches: readonly StoredBatch[],
  finder: Finder,
  job: OpenBatchesJob,
): OpenBatches {
  const { sourceOf, halt, clock, detached, listener } = job
  const { drain } = halt
  const waiting = new Set<StoredBatch>()
  const held = new Map<StoredBatch, Map<string, Packed>>()
  /** Why batches cannot be collected. */
  const refusals: RunError[] = []

  const add = (batch: StoredBatch) => {
    const unsettled = [...batch.documents.values()].filter(({ path }) => !batch.isSettled(path))
    waiting.add(batch)
    held.set(batch, new Map(unsettled.map((packed) => [packed.path, packed])))
  }
  const giveBack = ({ path }: Packed) => {
    job.aside.get(path)?.(0n)
    job.aside.delete(path)
  }
  async function* collected(batch: StoredBatch, again: (outcome: Outcome) => void): AsyncGenerator<Outcome> {
    const left = held.get(batch) ?? new Map<string, Packed>()
    const settled = ({ source }: Outcome) => void left.delete(source.path)
    const released = (outcome: Outcome) => {
      settled(outcome)
      again(outcome)
    }
    const found = await finder.find(batch)
    if (found === 'perhaps' || (found !== 'never' && found.state !== 'ended')) return
    if (found === 'never') {
      for (const packed of left.values()) {
        giveBack(packed)
        released(pendingOf(sourceOf(packed.path), 'its batch was never created', packed.asked))
      }
      await batch.forget()
    } else yield* collect(batch, found, { ...job, again: released, settled })
    waiting.delete(batch)
  }
  async function* ended(again: (outcome: Outcome) => void): AsyncGenerator<Outcome> {
    for (const batch of waiting) {
      try {
        yield* collected(batch, again)
      } catch (error) {
        if (error === drain.reason || error === halt.abort.reason) return
        // It may be well again the next time.
        if (isTransient(error)) continue
        const refusal = error instanceof AskError ? job.explain(error) : error
        if (!(refusal instanceof RunError)) throw refusal
        waiting.delete(batch)
        refusals.push(refusal)
        if (refusal.exit !== 'refused') halt.stop(refusal)
      }
    }
  }

  for (const batch of batches) add(batch)
  return {
    add,
    get waiting() {
      return [...waiting]
    },
    hold: (path) => [...held.values()].some((documents) => documents.has(path)),
    ended,
    async *waited(again) {
      try {
        for (let pause = shortestPauseMs; waiting.size > 0; pause = Math.min(longestPauseMs, pause * 2)) {
          listener.waiting([...waiting])
          await clock.sleep(pause, drain)
          yield* ended(again)
          for (const batch of waiting) {
            if (clock.wall() - batch.packed < longestWaitMs) continue
            waiting.delete(batch)
            refusals.push(new RunError('later', overdue(batch)))
          }
        }
      } catch (error) {
        if (error !== drain.reason) throw error
      } finally {
        listener.waiting([])
      }
    },
    stopIfRefused() {
      // One reason ends the run; the others are worth knowing, too, each once.
      const byMessage = new Map(refusals.map((refusal) => [refusal.message, refusal]))
      for (const [message, refusal] of byMessage) {
        const { reason } = drain as { readonly reason?: unknown }
        if (drain.aborted && !(reason instanceof Error && reason.message === message)) listener.odd(message)
        halt.stop(refusal)
      }
    },
    *pending() {
      for (const [batch, documents] of held) {
        const reason =
          batch.id === undefined
            ? `it may be in the batch ${batch.intent}, which the API has not confirmed`
            : `it is in the batch ${batch.id}`
        const later = !(detached && waiting.has(batch))
        for (const { path, asked } of documents.values())
          yield pendingOf(sourceOf(path), reason, asked, later)
      }
    },
  }
}

const shortestPauseMs = 2000
/** Most batches take minutes to an hour; the API asks clients to look about once a minute. */
const longestPauseMs = 60_000

/** The API ends a batch 24 hours after it was created, done or not. */
const longestWaitMs = 25 * 3_600_000

function overdue({ id, intent, documents }: StoredBatch): string {
  const count = manyOf(documents.size, 'document')
  return id === undefined
    ? `it cannot be known whether the batch ${intent} was created, as the API does not show whose the batches of that time are: its ${count} may have been paid for, and ${count === '1 document' ? 'is' : 'are'} not sent again`
    : `the API does not show that the batch ${id} has ended, 25 hours after it was created; run again later`
}

/** A document that is left to a later run. @param later the same command goes on with it, though nothing stopped this one */
export function pendingOf(source: Source, reason: string, asked?: Outcome['asked'], later = true): Outcome {
  return {
    source,
    ...(asked !== undefined && { asked }),
    attempts: [],
    elapsedMs: 0,
    status: 'pending',
    reason,
    ...(later && { later }),
  }
}
