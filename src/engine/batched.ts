import type { Packed } from '../core/batch.ts'
import type { BatchStore, StoredBatch } from '../core/batch-store.ts'
import type { Source } from '../core/document.ts'
import { AskError } from '../core/failure.ts'
import type { Outcome } from '../core/outcome.ts'
import { RunError } from '../errors.ts'
import { collect } from './collect.ts'
import { createFinder } from './find-batch.ts'
import { isTransient } from './patient.ts'
import { proven } from './proven.ts'
import { type SubmitJob, submit } from './submit.ts'

/** A run some or all of whose answers come out of batches. */
export interface BatchJob extends SubmitJob {
  readonly sources: readonly Source[]
  readonly store: BatchStore
  /** Whether what is not in a batch yet is put into one, rather than asked about at once. */
  readonly submits: boolean
  /** Chooses and orders what a live run asks about, of what is left once batches are collected; all of it, if left out. */
  readonly offered?: (left: readonly Source[]) => AsyncIterable<Source>
  /** Whether what is left of a live run is better put into a batch by now; never, if left out. */
  readonly movesOn?: (left: number) => boolean
  /** Waits for batches to end. */
  readonly waits: boolean
  /** That it does not is as it was asked for: what is left in batches is nothing to go on with. */
  readonly detached: boolean
  /** Whether requests like this document's have been taken before. */
  readonly isProven: (source: Source) => boolean
  /** What tells documents apart that are asked about in different ways. */
  readonly wayOf: (source: Source) => string
}

/**
 * Yields one outcome per source, and one for every other document of the batches it collects: first from batches of
 * earlier runs that have ended; then from new ones, which it makes of what is left and waits for. What is still in a
 * batch when it ends is pending, and the next run's. Two ways to earn outcomes: `summarizeAll` is the other one.
 */
export async function* batchAll(job: BatchJob): AsyncGenerator<Outcome> {
  const { sources, store, halt, waits, detached, listener } = job
  const { drain } = halt
  const finder = createFinder(job, store.open)
  const here = store.open.filter(({ endpoint }) => endpoint === job.endpoint)
  for (const batch of store.open) if (!here.includes(batch)) listener.elsewhere(batch)
  const known = new Map(sources.map((source) => [source.path, source]))
  const sourceOf = (path: string): Source => known.get(path) ?? { index: known.size, path, named: true }

  const waiting = new Set(here)
  /** What is still in each batch. It is not sent again, even where the batch cannot be collected: it may be billed. */
  const held = new Map(here.map((batch) => [batch, unsettledIn(batch)]))
  /** Why batches cannot be collected. */
  const refusals: RunError[] = []
  /** Collects the batches that have ended by now. */
  async function* ended(again: (outcome: Outcome) => void): AsyncGenerator<Outcome> {
    for (const batch of waiting) {
      const left = held.get(batch) ?? new Map<string, Packed>()
      const settled = ({ source }: Outcome) => void left.delete(source.path)
      const released = (outcome: Outcome) => {
        settled(outcome)
        again(outcome)
      }
      try {
        const found = await finder.find(batch)
        if (found === 'perhaps' || (found !== 'never' && found.state !== 'ended')) continue
        if (found === 'never') {
          for (const { path, asked } of left.values()) {
            job.aside.get(path)?.(0n)
            job.aside.delete(path)
            released(pendingOf(sourceOf(path), 'the batch it was meant for was never made', asked))
          }
          await batch.forget()
        } else yield* collect(batch, found, { ...job, sourceOf, again: released, settled })
        waiting.delete(batch)
      } catch (error) {
        if (error === drain.reason || error === halt.abort.reason) return
        // It may be well again the next time.
        if (isTransient(error)) continue
        const told = error instanceof AskError ? job.explain(error) : error
        if (!(told instanceof RunError)) throw told
        waiting.delete(batch)
        refusals.push(told)
        if (told.exit !== 'refused') halt.stop(told)
      }
    }
  }

  const done = new Set<string>()
  const left: Outcome[] = []
  // What is asked about by this run is put into its own batches again, and the rest left to a run that asks about it.
  for await (const outcome of ended((outcome) => known.has(outcome.source.path) || left.push(outcome))) {
    done.add(outcome.source.path)
    yield outcome
  }
  for (const inBatch of held.values()) for (const path of inBatch.keys()) done.add(path)
  let todo: readonly Source[] = sources.filter(({ path }) => !done.has(path))

  let { submits } = job
  if (job.offered !== undefined) {
    yield* job.live(job.offered(todo))
    todo = []
  } else if (!submits) {
    const left = new Set(todo)
    const offered = function* () {
      for (const source of todo) {
        if (job.movesOn?.(left.size)) return
        left.delete(source)
        yield source
      }
    }
    yield* job.live(offered())
    submits = left.size > 0 && !drain.aborted
    if (submits) listener.movedOn(left.size)
    todo = [...left]
  }
  const ways = new Set<string>()
  const long: Source[] = []
  let full: RunError | undefined
  const wait = () => waited(job, waiting, () => ended((outcome) => left.push(outcome)))
  while (todo.length > 0 && !drain.aborted) {
    const rest = yield* proven(todo, ways, job)
    const sent = yield* submit(rest, job, finder)
    for (const batch of sent.made) {
      waiting.add(batch)
      held.set(batch, unsettledIn(batch))
    }
    long.push(...sent.long)
    todo = sent.unsent
    full = sent.full
    // What was set aside for the worst case, and not spent, may be enough for the next ones.
    if (!waits || full === undefined || sent.made.length === 0) break
    yield* wait()
  }
  // With a budget, the money that is set aside for batches may be needed, and only collecting releases it.
  const isLast = waits && job.purse !== undefined
  if (!isLast) yield* job.live(long)
  if (waits && (submits || job.movesOn === undefined)) yield* wait()
  for (const error of refusals) {
    // One reason ends the run; the others are worth knowing, too.
    if (drain.aborted && error !== drain.reason) listener.odd(error.message)
    halt.stop(error)
  }
  if (isLast) yield* job.live(long)
  if (full !== undefined) halt.stop(full)

  if (waiting.size > 0) listener.left([...waiting])

  yield* left
  const why = drain.reason instanceof Error ? drain.reason.message : 'stopped'
  for (const source of todo) yield pendingOf(source, why)
  for (const [batch, inBatch] of held) {
    const reason = `it is in the batch ${batch.id ?? batch.intent}`
    for (const { path, asked } of inBatch.values())
      yield pendingOf(sourceOf(path), reason, asked, !(detached && waiting.has(batch)))
  }
}

/** Looks after batches, ever less often, until all have ended or the run is told to stop. */
async function* waited(
  { clock, halt: { drain }, listener }: BatchJob,
  waiting: ReadonlySet<StoredBatch>,
  collectEnded: () => AsyncGenerator<Outcome>,
): AsyncGenerator<Outcome> {
  try {
    for (let pause = shortestPauseMs; waiting.size > 0; pause = Math.min(longestPauseMs, pause * 2)) {
      listener.waiting([...waiting])
      await clock.sleep(pause, drain)
      yield* collectEnded()
    }
  } catch (error) {
    if (error !== drain.reason) throw error
  } finally {
    listener.waiting([])
  }
}

const shortestPauseMs = 2000
/** Most batches take minutes to an hour; their service asks for no more than about one look a minute. */
const longestPauseMs = 60_000

/** The documents of a batch that have no ledger entry since, by their paths. */
function unsettledIn({ documents, isSettled }: StoredBatch): Map<string, Packed> {
  const unsettled = [...documents.values()].filter(({ path }) => !isSettled(path))
  return new Map(unsettled.map((packed) => [packed.path, packed]))
}

function pendingOf(source: Source, reason: string, asked?: Outcome['asked'], later = true): Outcome {
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
