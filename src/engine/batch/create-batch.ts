import { customId, type Load, type Packed } from '../../core/batch/batch.ts'
import type { Batches } from '../../core/batch/batch-api.ts'
import type { BatchStore, StoredBatch } from '../../core/batch/batch-store.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { judge } from '../../core/errors/classify-error.ts'
import { type Fault, mayBeBilled } from '../../core/errors/request-error.ts'
import { backoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import { RunError } from '../../errors.ts'
import type { Halt } from '../shutdown.ts'
import type { Finder } from './recover-batch.ts'

export interface CreateBatchJob {
  readonly batches: Batches
  readonly store: BatchStore
  readonly finder: Finder
  readonly halt: Halt
  readonly clock: Clock
  readonly random: () => number
  readonly retries: number
  readonly explain: (error: AskError) => RunError
  readonly listener: { troubled(error: AskError, waitMs: number): void }
  /** Called for each batch that was created, or may have been. */
  readonly onCreated: (batch: StoredBatch, load: Load) => void
  /** Called for each document that the API refused, and the batch with it. */
  readonly onRefused: (document: Packed, fault: Fault) => void
}

/** One batch, and what became of its pieces so far. */
interface Progress extends CreateBatchJob {
  /** How many more batches may be sent in its place. */
  left: number
  isAccepted: boolean
  readonly refused: { readonly document: Packed; readonly fault: Fault }[]
}

/**
 * Creates a batch, and sends it again only where there is none yet. The API refuses a batch as a whole for one request
 * that it does not accept: then the others go without it, in smaller batches. Which request it is, its message says, or
 * halving the batch finds out. Where nothing at all is accepted, it is not the documents: none of them is blamed.
 * @throws RunError where the rest cannot be sent, which is forgotten then; the reason of a stop
 */
export async function createBatch(batch: StoredBatch, load: Load, job: CreateBatchJob): Promise<void> {
  const progress: Progress = { ...job, left: mostCreates, isAccepted: false, refused: [] }
  try {
    await createOrSplit(batch, load, progress)
    const [first, second] = progress.refused
    if (!progress.isAccepted && first !== undefined && second !== undefined) throw refusal(first.fault)
  } catch (error) {
    if (progress.isAccepted) report(progress)
    throw error
  }
  report(progress)
}

/** Two thirds of them find one request among 100,000. */
const mostCreates = 100

/** Pieces that are refused one after another before it is clear that it is not the documents. */
const clearlyRefused = 5

function report({ refused, onRefused }: Progress): void {
  for (const { document, fault } of refused) onRefused(document, fault)
}

async function createOrSplit(batch: StoredBatch, load: Load, progress: Progress): Promise<void> {
  const fault = await create(batch, progress)
  if (fault === undefined) {
    progress.isAccepted = true
    progress.onCreated(batch, load)
    return
  }
  const documents = [...batch.documents]
  const { length } = documents
  const at = length === 1 ? 0 : culpritIn(fault, [...batch.documents.keys()])
  const [, document] = documents[at ?? -1] ?? []
  const middle = Math.ceil(length / 2)
  const [end, start] = at === undefined ? [middle, middle] : [at, at + 1]
  try {
    if (document !== undefined) progress.refused.push({ document, fault })
    if (!progress.isAccepted && progress.refused.length >= clearlyRefused) throw refusal(fault)
    for (const range of [
      { from: 0, to: end },
      { from: start, to: length },
    ]) {
      if (range.from === range.to) continue
      if (progress.left <= 0) throw refusal(fault)
      progress.halt.drain.throwIfAborted()
      const piece = await pieceOf(batch, range, progress)
      await createOrSplit(piece.batch, piece.load, progress)
    }
  } catch (error) {
    await batch.forget().catch(() => {})
    throw error
  }
  await batch.forget()
}

/** Packs some requests of a batch that was refused into another one. A crash at any time leaves each in one at least. */
async function pieceOf(
  batch: StoredBatch,
  { from, to }: { readonly from: number; readonly to: number },
  { store }: Progress,
): Promise<{ readonly batch: StoredBatch; readonly load: Load }> {
  const packing = await store.pack()
  const documents = [...batch.documents]
  try {
    let n = 0
    for await (const entry of batch.entries()) {
      const [name, document] = documents[n++] ?? []
      if (name === undefined || document === undefined || n <= from || n > to) continue
      const id = customId(packing.intent, document.asked.key, n - 1 - from)
      // Its name is the first thing in it.
      await packing.add(id, document, entry.replace(name, id))
    }
    const { load } = packing
    const piece = await packing.seal()
    await batch.settle(documents.slice(from, to).map(([name]) => name))
    return { batch: piece, load }
  } catch (error) {
    await packing.discard().catch(() => {})
    throw error
  }
}

/**
 * Sends a batch until it is created, or may be.
 * @returns why the API refused it, where that is about what is in it
 * @throws RunError where there is no such batch, which is forgotten then; the reason of a stop
 */
async function create(batch: StoredBatch, progress: Progress): Promise<Fault | undefined> {
  const { batches, finder, halt, clock, random, retries, listener, explain } = progress
  for (let failures = 1; ; failures++) {
    try {
      halt.drain.throwIfAborted()
      progress.left--
      const { id } = await batches.create(batch.body(), halt.abort)
      await batch.made(id)
      return undefined
    } catch (error) {
      // Cut off on the way: the next run finds out.
      if (!(error instanceof AskError)) {
        if (error === halt.drain.reason && !halt.abort.aborted) await batch.forget()
        throw error
      }
      const { fault } = error
      const { blame } = judge(fault)
      const isRetried = blame === 'service' && failures <= retries
      if (isRetried) {
        const wait = fault.retryAfter === undefined ? backoffMs(failures, random()) : fault.retryAfter * 1000
        listener.troubled(error, wait)
        await clock.sleep(wait, halt.drain)
      }
      if (mayBeCreated(fault) && (await finder.find(batch)) !== 'never') return undefined
      if (isRetried) continue
      if (isAboutContent(fault)) return fault
      await batch.forget()
      throw blame === 'run' ? explain(error) : refusal(fault)
    }
  }
}

/**
 * Whether there may be a batch all the same. There can be behind every answer but a clear refusal: a gateway answers with
 * 429 or 529 for a reason of its own, too, after it has passed the request on.
 */
function mayBeCreated(fault: Fault): boolean {
  const { kind, status = 0 } = fault
  if (kind !== 'status') return mayBeBilled(fault)
  return judge(fault).blame !== 'run' && (status >= 500 || status === 408 || status === 409 || status === 429)
}

/** The API does not accept something in the batch, or not as much. */
function isAboutContent(fault: Fault): boolean {
  return judge(fault).blame === 'document' && [400, 413, 422].includes(fault.status ?? 0)
}

/** The place of the request that a message names, as `requests.3.params` or by its `custom_id`. */
function culpritIn({ message }: Fault, names: readonly string[]): number | undefined {
  const place = Number(/\brequests[.[](\d{1,6})\b/.exec(message)?.[1] ?? Number.NaN)
  if (place < names.length) return place
  const named = message.match(/[0-9a-f]{16}_[\w-]+/g) ?? []
  const found = named.map((name) => names.indexOf(name)).find((at) => at >= 0)
  return found
}

function refusal(fault: Fault): RunError {
  const what = `the API did not accept the batch: ${fault.status ?? fault.kind} ${fault.type}: ${fault.message}`
  return new RunError(judge(fault).blame === 'service' ? 'later' : 'refused', what)
}
