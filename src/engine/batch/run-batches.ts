import type { Packed } from '../../core/batch/batch.ts'
import type { BatchStore } from '../../core/batch/batch-store.ts'
import type { Source } from '../../core/document/document.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import type { RunError } from '../../errors.ts'
import { proven } from './canary.ts'
import { createOpenBatches, pendingOf } from './open-batches.ts'
import { createFinder } from './recover-batch.ts'
import { type SubmitJob, submit } from './submit-batches.ts'

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
  const { sources, store, halt, waits, listener } = job
  const { drain } = halt
  const finder = createFinder(job, store.open)
  const here = store.open.filter(({ endpoint }) => endpoint === job.endpoint)
  for (const batch of store.open) if (!here.includes(batch)) listener.elsewhere(batch)
  const known = new Map(sources.map((source) => [source.path, source]))
  const sourceOf = (path: string): Source => known.get(path) ?? { index: known.size, path, named: true }
  const textOf = textsOf(known, job)
  const batches = createOpenBatches(here, finder, { ...job, sourceOf, textOf })

  const done = new Set<string>()
  const left: Outcome[] = []
  // What this run is about goes into its own batches again; the rest is left to a run that is about it.
  const again = (outcome: Outcome) => known.has(outcome.source.path) || left.push(outcome)
  for await (const outcome of batches.ended(again)) {
    done.add(outcome.source.path)
    yield outcome
  }
  let todo: readonly Source[] = sources.filter(({ path }) => !done.has(path) && !batches.hold(path))
  const live = yield* askLive(todo, job)
  todo = live.left

  const ways = new Set<string>()
  const long: Source[] = []
  let full: RunError | undefined
  const wait = () => batches.waited((outcome) => left.push(outcome))
  while (todo.length > 0 && !drain.aborted) {
    const rest = yield* proven(todo, ways, job)
    const sent = yield* submit(rest, job, finder)
    for (const batch of sent.made) batches.add(batch)
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
  if (waits && (live.submits || job.movesOn === undefined)) yield* wait()
  batches.stopIfRefused()
  if (isLast) yield* job.live(long)
  if (full !== undefined) halt.stop(full)

  const { waiting } = batches
  if (waiting.length > 0) listener.left(waiting)
  yield* left
  const why = drain.reason instanceof Error ? drain.reason.message : 'stopped'
  for (const source of todo) yield pendingOf(source, why)
  yield* batches.pending()
}

/**
 * Reads the documents of this run once more. What only a batch file names is not read: the file may be anyone's.
 */
function textsOf(
  known: ReadonlyMap<string, Source>,
  { read }: Pick<BatchJob, 'read'>,
): (packed: Packed) => Promise<string | undefined> {
  return async ({ path, asked }) => {
    const source = known.get(path)
    // Stdin can be read only once.
    if (source === undefined || source.stats === undefined || source.problem !== undefined) return undefined
    const document = await read(source)
    return 'as' in document || document.bytes.sha256 !== asked.bytes.sha256 ? undefined : document.text
  }
}

interface AskedLive {
  /** What is left for batches. */
  readonly left: readonly Source[]
  /** Whether the run makes batches, from its start or by now. */
  readonly submits: boolean
}

/** Asks about documents live, as far as the run does that. */
async function* askLive(
  todo: readonly Source[],
  { submits, offered, movesOn, live, halt, listener }: BatchJob,
): AsyncGenerator<Outcome, AskedLive> {
  if (offered !== undefined) {
    yield* live(offered(todo))
    return { left: [], submits: false }
  }
  if (submits) return { left: todo, submits }
  const left = new Set(todo)
  const untilItMovesOn = function* () {
    for (const source of todo) {
      if (movesOn?.(left.size)) return
      left.delete(source)
      yield source
    }
  }
  yield* live(untilItMovesOn())
  const goesOn = left.size > 0 && !halt.drain.aborted
  if (goesOn) listener.movedOn(left.size)
  return { left: [...left], submits: goesOn }
}
