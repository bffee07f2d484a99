import type { BatchItem } from '../../core/batch/batch.ts'
import type { BatchStore } from '../../core/batch/batch-store.ts'
import type { DocumentRef } from '../../core/document/document.ts'
import type { RunError } from '../../core/errors/run-error.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import { createOpenBatches, createPendingOutcome } from './open-batches.ts'
import { createBatchRecovery } from './recover-batch.ts'
import { runCanaries } from './run-canaries.ts'
import { type SubmitJob, submitBatches } from './submit-batches.ts'

/** A run some or all of whose answers come out of batches. */
export interface BatchJob extends SubmitJob {
  readonly sources: readonly DocumentRef[]
  readonly store: BatchStore
  /** Whether what is not in a batch yet is put into one, rather than asked about at once. */
  readonly shouldSubmit: boolean
  /** Chooses and orders what a live run asks about, of what is left once batches are collected; all of it, if left out. */
  readonly selectLive?: (left: readonly DocumentRef[]) => AsyncIterable<DocumentRef>
  /** Waits for batches to end. */
  readonly shouldWait: boolean
  /** That it does not is as it was asked for: what is left in batches is nothing to go on with. */
  readonly isDetached: boolean
  /** Whether requests like this document's have been taken before. */
  readonly hasSucceededBefore: (source: DocumentRef) => boolean
  /** What tells documents apart that are asked about in different ways. */
  readonly settingsHashOf: (source: DocumentRef) => string
}

/**
 * Yields one outcome per source, and one for every other document of the batches it collects: first from batches of
 * earlier runs that have ended; then from new ones, which it makes of what is left and waits for. What is still in a
 * batch when it ends is pending, and the next run's. Two ways to earn outcomes: `summarizeAll` is the other one.
 */
export async function* runBatches(job: BatchJob): AsyncGenerator<Outcome> {
  const { sources, store, shutdown, shouldWait, listener } = job
  const { drainSignal } = shutdown
  const recovery = createBatchRecovery(job, store.openBatches)
  const ownBatches = store.openBatches.filter(({ endpoint }) => endpoint === job.endpoint)
  for (const batch of store.openBatches) if (!ownBatches.includes(batch)) listener.onForeignBatch(batch)
  const sourceByPath = new Map(sources.map((source) => [source.path, source]))
  const findSource = (path: string): DocumentRef =>
    sourceByPath.get(path) ?? { index: sourceByPath.size, path, namedByUser: true }
  const readText = createTextReader(sourceByPath, job)
  const batches = createOpenBatches(ownBatches, recovery, { ...job, findSource, readText })

  const done = new Set<string>()
  const unfinished: Outcome[] = []
  // What this run is about goes into its own batches again; the rest is left to a run that is about it.
  const onRequeue = (outcome: Outcome) => sourceByPath.has(outcome.document.path) || unfinished.push(outcome)
  for await (const outcome of batches.collectEnded(onRequeue)) {
    done.add(outcome.document.path)
    yield outcome
  }
  let todo: readonly DocumentRef[] = sources.filter(
    ({ path }) => !done.has(path) && !batches.hasDocument(path),
  )
  if (!job.shouldSubmit) {
    yield* job.runLive(job.selectLive?.(todo) ?? todo)
    todo = []
  }

  const provenSettings = new Set<string>()
  const longDocuments: DocumentRef[] = []
  let budgetError: RunError | undefined
  const collectUntilAllEnd = () => batches.collectUntilAllEnd((outcome) => unfinished.push(outcome))
  while (todo.length > 0 && !drainSignal.aborted) {
    const withoutCanaries = yield* runCanaries(todo, provenSettings, job)
    const submitted = yield* submitBatches(withoutCanaries, job, recovery)
    for (const batch of submitted.createdBatches) batches.add(batch)
    longDocuments.push(...submitted.longDocuments)
    todo = submitted.unsentDocuments
    budgetError = submitted.budgetError
    // What was set aside for the worst case, and not spent, may be enough for the next ones.
    if (!shouldWait || budgetError === undefined || submitted.createdBatches.length === 0) break
    yield* collectUntilAllEnd()
  }
  // With a budget, the money that is set aside for batches may be needed, and only collecting releases it.
  const isLongLast = shouldWait && job.budget !== undefined
  if (!isLongLast) yield* job.runLive(longDocuments)
  if (shouldWait) yield* collectUntilAllEnd()
  batches.stopIfUncollectable()
  if (isLongLast) yield* job.runLive(longDocuments)
  if (budgetError !== undefined) shutdown.drain(budgetError)

  const { waiting } = batches
  if (waiting.length > 0) listener.onUnfinished(waiting)
  yield* unfinished
  const reason = drainSignal.reason instanceof Error ? drainSignal.reason.message : 'stopped'
  for (const source of todo) yield createPendingOutcome(source, reason)
  yield* batches.yieldPending()
}

/**
 * Reads the documents of this run once more. What only a batch file names is not read: the file may be anyone's.
 */
function createTextReader(
  sourceByPath: ReadonlyMap<string, DocumentRef>,
  { read }: Pick<BatchJob, 'read'>,
): (packed: BatchItem) => Promise<string | undefined> {
  return async ({ path, asked }) => {
    const source = sourceByPath.get(path)
    // Stdin can be read only once.
    if (source === undefined || source.stats === undefined || source.problem !== undefined) return undefined
    const document = await read(source)
    return 'action' in document || document.fingerprint.sha256 !== asked.fingerprint.sha256
      ? undefined
      : document.text
  }
}
