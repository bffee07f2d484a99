import type { AnswerSettings } from '../core/answer-settings.ts'
import { backoffMs } from '../core/backoff.ts'
import { customId, hasRoom, type Load } from '../core/batch.ts'
import type { BatchStore, Packing, StoredBatch } from '../core/batch-store.ts'
import type { Source } from '../core/document.ts'
import { AskError, judge, mayBeBilled } from '../core/failure.ts'
import type { RunFacts } from '../core/ledger-line.ts'
import type { Outcome } from '../core/outcome.ts'
import { RunError } from '../errors.ts'
import type { Purse } from './budgeted.ts'
import type { CollectJob, CollectListener } from './collect.ts'
import type { Finder } from './find-batch.ts'
import { pool } from './pool.ts'
import { declined, type Preparing, prepare } from './prepare.ts'

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

  const send = async () => {
    if (packing === undefined) return
    const { load } = packing
    const batch = await packing.seal()
    packing = undefined
    await makeSure(batch, job, finder)
    for (const source of packed) unsent.delete(source)
    made.push(batch)
    job.listener.submitted(batch, load)
    packed = []
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
        job.ended?.(outcome)
        await job.keep?.(outcome)
        yield outcome
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
  return { made, long, unsent: [...unsent], full }
}

/**
 * Makes a batch: sends it until it is there, or may be.
 * @throws RunError where there is none, which is forgotten then; the reason of a stop
 */
async function makeSure(batch: StoredBatch, job: SubmitJob, finder: Finder): Promise<void> {
  const { batches, halt, clock, random, retries, listener } = job
  for (let failures = 1; ; failures++) {
    try {
      halt.drain.throwIfAborted()
      const { id } = await batches.create(batch.body(), halt.abort)
      await batch.made(id)
      return
    } catch (error) {
      // Cut off on the way: the next run finds out.
      if (!(error instanceof AskError)) {
        if (error === halt.drain.reason && !halt.abort.aborted) await batch.forget()
        throw error
      }
      const { fault } = error
      const { blame } = judge(fault)
      if (isUnheard(error)) {
        const found = await finder.find(batch)
        if (found !== 'never') return
      }
      if (blame === 'service' && failures <= retries) {
        const wait = fault.retryAfter === undefined ? backoffMs(failures, random()) : fault.retryAfter * 1000
        listener.troubled(error, wait)
        await clock.sleep(wait, halt.drain)
        continue
      }
      await batch.forget()
      throw blame === 'run' ? job.explain(error) : refusal(error, blame === 'service')
    }
  }
}

/** Whether there may be a batch all the same. */
function isUnheard({ fault }: AskError): boolean {
  const { status = 0 } = fault
  return mayBeBilled(fault) || (status >= 500 && status !== 529) || status === 408
}

function refusal({ fault }: AskError, transient: boolean): RunError {
  const what = `the service did not take the batch: ${fault.status ?? fault.kind} ${fault.type}: ${fault.message}`
  return new RunError(transient ? 'later' : 'refused', what)
}
