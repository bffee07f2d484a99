import { customId, hasRoom, type Load, type Packed } from '../../core/batch/batch.ts'
import type { BatchStore, Packing, StoredBatch } from '../../core/batch/batch-store.ts'
import type { Source } from '../../core/document/document.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { failureOf } from '../../core/errors/failure.ts'
import type { Fault } from '../../core/errors/request-error.ts'
import type { AnswerSettings } from '../../core/request/answer-settings.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import type { RunFacts } from '../../core/run/provenance.ts'
import { RunError } from '../../errors.ts'
import type { Purse } from '../middleware/with-budget.ts'
import { pool } from '../pool.ts'
import { declined, type Preparing, prepare } from '../prepare.ts'
import type { CollectJob, CollectListener } from './collect-batch.ts'
import { createBatch } from './create-batch.ts'
import type { Finder } from './recover-batch.ts'

export interface SubmitJob extends CollectJob, Preparing {
  /** Asks about documents at once, as a run without batches does. */
  readonly live: (sources: Iterable<Source> | AsyncIterable<Source>) => AsyncGenerator<Outcome>
  readonly store: BatchStore
  /** Where batches are sent. */
  readonly endpoint: string
  /** How a document is asked about. */
  readonly factsFor: (path: string) => RunFacts
  /** What becomes of its answer. */
  readonly settingsFor: (path: string) => AnswerSettings
  readonly purse?: Purse | undefined
  /** What a batch may hold, where that is less than the service allows. */
  readonly limits?: Load
  readonly listener: BatchListener
}

interface BatchListener extends CollectListener {
  /** A batch of an earlier run that another service has. */
  elsewhere(batch: StoredBatch): void
  /** The rest of a live run goes into a batch. */
  movedOn(documents: number): void
  /** A batch was made. */
  submitted(batch: StoredBatch, load: Load): void
  /** These stay with the service when the run ends. */
  left(batches: readonly StoredBatch[]): void
  /** These are waited for now. */
  waiting(batches: readonly StoredBatch[]): void
}

interface Submitted {
  /** That were made, or may have been. */
  readonly made: readonly StoredBatch[]
  /** Documents that one request does not hold: each answer about a part leads to the next request. */
  readonly long: readonly Source[]
  /** What is in none, and could be. */
  readonly unsent: readonly Source[]
  /** Why not, where the next one may cost more than may be spent. */
  readonly full: RunError | undefined
}

/** So many documents are read at once. */
const readAtOnce = 16

/**
 * Packs documents into batches, as few as hold them, and makes each as soon as it is full. Yields outcomes for those
 * that there is nothing to ask about.
 */
export async function* submit(
  sources: readonly Source[],
  job: SubmitJob,
  finder: Finder,
): AsyncGenerator<Outcome, Submitted> {
  const { batches, store, halt, clock, purse, aside } = job
  const made: StoredBatch[] = []
  const unsent = new Set(sources)
  let full: RunError | undefined
  let packing: Packing | undefined
  let packed: Source[] = []
  const long: Source[] = []
  /** Documents that the API refused to have in a batch. */
  const refused: Outcome[] = []

  const send = async () => {
    if (packing === undefined) return
    const { load } = packing
    const batch = await packing.seal()
    packing = undefined
    const sourceOf = new Map(packed.map((source) => [source.path, source]))
    packed = []
    const taken = ({ path }: Packed) => {
      const source = sourceOf.get(path) as Source
      unsent.delete(source)
      return source
    }
    await createBatch(batch, load, {
      ...job,
      finder,
      onCreated(batch, load) {
        for (const document of batch.documents.values()) taken(document)
        made.push(batch)
        job.listener.submitted(batch, load)
      },
      onRefused: (document, fault) => void refused.push(refusedOutcome(document, taken(document), fault)),
    })
  }
  async function* finished(outcomes: Outcome[]) {
    for (const outcome of outcomes.splice(0)) {
      aside.get(outcome.source.path)?.(0n)
      aside.delete(outcome.source.path)
      job.ended?.(outcome)
      await job.keep?.(outcome)
      yield outcome
    }
  }

  const look = async (source: Source) => ({
    source,
    start: clock.now(),
    prepared: await prepare(source, job),
  })
  try {
    for await (const { source, start, prepared } of pool(sources, { size: () => readAtOnce }, look)) {
      if (halt.drain.aborted) break
      if ('problem' in prepared) {
        const { asked } = prepared
        const elapsedMs = clock.now() - start
        const base = { source, ...(asked !== undefined && { asked }), attempts: [], elapsedMs }
        const outcome = declined(prepared, base)
        unsent.delete(source)
        yield* finished([outcome])
        continue
      }
      const { asked } = prepared
      if ('parts' in prepared) {
        unsent.delete(source)
        long.push(source)
        continue
      }
      const { request } = prepared
      if (purse !== undefined) {
        const settle = purse.setAside(request)
        if (settle === undefined) {
          full = purse.refusal(request)
          break
        }
        aside.set(source.path, settle)
      }
      packing ??= await store.pack()
      const entryIn = ({ intent }: Packing) => {
        const id = customId(intent, asked.key, packed.length)
        return { id, entry: batches.entry(id, request) }
      }
      let { id, entry } = entryIn(packing)
      if (!hasRoom(packing.load, Buffer.byteLength(entry) + 2, job.limits)) {
        await send()
        yield* finished(refused)
        if (halt.drain.aborted) break
        packing = await store.pack()
        ;({ id, entry } = entryIn(packing))
      }
      const { path } = source
      const [facts, settings] = [job.factsFor(path), job.settingsFor(path)]
      await packing.add(id, { path, asked: { ...asked, facts, settings } }, entry)
      packed.push(source)
    }
    if (halt.drain.aborted) await packing?.discard()
    else await send()
  } catch (error) {
    await packing?.discard().catch(() => {})
    if (error instanceof RunError) halt.stop(error)
    else if (error instanceof AskError) halt.stop(job.explain(error))
    else if (error !== halt.drain.reason && error !== halt.abort.reason) throw error
  }
  yield* finished(refused)
  return { made, long, unsent: [...unsent], full }
}

function refusedOutcome({ asked }: Packed, source: Source, fault: Fault): Outcome {
  return { source, asked, attempts: [], elapsedMs: 0, status: 'failed', failure: failureOf(fault) }
}
