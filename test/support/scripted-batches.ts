import type { Batch, BatchItem, BatchResultLine } from '../../src/core/batch/batch.ts'
import type { BatchApi } from '../../src/core/batch/batch-api.ts'
import type { BatchStore, SealedBatch } from '../../src/core/batch/batch-store.ts'
import { AskError } from '../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../src/core/errors/request-error.ts'
import type { Clock } from '../../src/core/run/clock.ts'
import { createReply } from './scripted-ask.ts'

/** How a call fails: before it has an effect, or after it. */
type CallFailure =
  | { readonly before: RequestError | Error }
  | { readonly after: RequestError | Error }
  | undefined

export type BatchCall = 'create' | 'retrieve' | 'since' | 'answers' | 'line'

export interface BatchScript {
  readonly clock: Clock
  /** How long a batch takes, in ms. */
  readonly takesMs?: number
  /** Called at each API call; decides whether that fails. */
  readonly failCall?: (call: BatchCall) => CallFailure
  /** Returns the error with which a batch of these documents is refused, if any. */
  readonly refuseBatch?: (paths: readonly string[]) => RequestError | undefined
  /** Returns the result of a request; a reply by default. */
  readonly getResult?: (path: string, batch: string) => BatchResultLine['result'] | undefined
}

interface ScriptedBatch {
  readonly batch: Batch
  readonly items: readonly { readonly custom_id: string; readonly path: string }[]
}

/** Creates a batch API in memory. Its state outlives the runs that are cut off. */
export function createScriptedBatches({
  clock,
  takesMs = 90_000,
  failCall,
  refuseBatch,
  getResult,
}: BatchScript) {
  const made = new Map<string, ScriptedBatch>()
  const lists: number[] = []
  const fail = (problem: RequestError | Error) => (problem instanceof Error ? problem : new AskError(problem))
  async function called<T>(call: BatchCall, work: () => T | Promise<T>): Promise<T> {
    const happens = failCall?.(call)
    if (happens !== undefined && 'before' in happens) throw fail(happens.before)
    const done = await work()
    if (happens !== undefined) throw fail(happens.after)
    return done
  }
  const isEnded = ({ createdAt }: Batch) => clock.wallTime() >= createdAt + takesMs
  const now = ({ batch }: ScriptedBatch): Batch =>
    isEnded(batch) ? { ...batch, state: 'ended', endedAt: batch.createdAt + takesMs } : batch

  const batches: BatchApi = {
    formatEntry: (id, { path }) => JSON.stringify({ custom_id: id, path }),
    create: (body) =>
      called('create', async () => {
        const chunks: Uint8Array[] = []
        for await (const chunk of body) chunks.push(chunk)
        const { requests } = JSON.parse(Buffer.concat(chunks).toString()) as {
          requests: ScriptedBatch['items']
        }
        const refusal = refuseBatch?.(requests.map(({ path }) => path))
        if (refusal !== undefined) throw new AskError(refusal)
        const id = `msgbatch_${made.size + 1}`
        const batch: Batch = {
          id,
          state: 'in_progress',
          requestCount: requests.length,
          createdAt: clock.wallTime(),
          isArchived: false,
        }
        made.set(id, { batch, items: requests })
        return batch
      }),
    retrieve: (id) =>
      called('retrieve', () => {
        const found = made.get(id)
        if (found === undefined)
          throw new AskError({ kind: 'status', status: 404, type: 'not_found_error', message: id })
        return now(found)
      }),
    listSince: (time) =>
      called('since', () => {
        lists.push(clock.now())
        const batches = [...made.values()].map(now).filter(({ createdAt }) => createdAt >= time)
        return { batches, isComplete: true }
      }),
    cancel: (id) => batches.retrieve(id, new AbortController().signal),
    async *fetchResults(id) {
      const items = await called('answers', () => made.get(id)?.items ?? [])
      for (const { custom_id, path } of [...items].reverse()) {
        const result = getResult?.(path, id) ?? {
          reply: createReply(`summary of ${path}`, { terms: { batch: true } }),
        }
        yield await called('line', () => ({ customId: custom_id, result }))
      }
    },
  }
  return {
    batches,
    made,
    lists,
    /** Returns how often each document was billed. */
    billed() {
      const counts = new Map<string, number>()
      for (const { batch, items } of made.values()) {
        if (!isEnded(batch)) continue
        for (const { path } of items) {
          const result = getResult?.(path, batch.id)
          if (result === undefined || (typeof result === 'object' && 'reply' in result))
            counts.set(path, (counts.get(path) ?? 0) + 1)
        }
      }
      return counts
    },
  }
}

interface StoredInMemory {
  readonly packed: number
  readonly documents: ReadonlyMap<string, BatchItem>
  readonly body: string
  readonly settled: Set<string>
  id: string | undefined
}

/** The number of batches that were built on all disks, so that their names are unique. */
let packings = 0

export type StoreCall = 'seal' | 'made' | 'settle' | 'forget'

/**
 * Creates a batch store in memory.
 * @param disk the state that a run leaves if it is cut off
 * @param called wraps each change of the disk, and may throw before or after it
 */
export function createMemoryBatchStore(
  disk: Map<string, StoredInMemory>,
  clock: Clock,
  isSettled: (id: string, path: string) => boolean = () => false,
  called: <T>(call: StoreCall, work: () => T) => Promise<T> = async (_, work) => work(),
): BatchStore {
  const stored = (intent: string, it: StoredInMemory): SealedBatch => ({
    localId: intent,
    endpoint: 'here',
    sealedAt: it.packed,
    items: it.documents,
    get id() {
      return it.id
    },
    async *readBody() {
      yield Buffer.from(it.body)
    },
    async *readEntries() {
      const { requests } = JSON.parse(it.body) as { requests: object[] }
      for (const request of requests) yield JSON.stringify(request)
    },
    markCreated: (id) =>
      called('made', () => {
        it.id = id
      }),
    isSettled: (path) => it.settled.has(path) || (it.id !== undefined && isSettled(it.id, path)),
    markSettled: (names) =>
      called('settle', () => {
        for (const name of names) it.settled.add(it.documents.get(name)?.path ?? '')
      }),
    remove: () => called('forget', () => void disk.delete(intent)),
  })
  return {
    openBatches: [...disk].map(([intent, it]) => stored(intent, it)),
    async createBuilder() {
      const intent = String(++packings).padStart(16, '0')
      const documents = new Map<string, BatchItem>()
      const entries: string[] = []
      return {
        localId: intent,
        get size() {
          return { items: entries.length, bytes: entries.join().length }
        },
        async add(id, document, entry) {
          documents.set(id, document)
          entries.push(entry)
        },
        async seal() {
          const it: StoredInMemory = {
            packed: clock.wallTime(),
            documents,
            body: `{"requests":[${entries.join()}]}`,
            settled: new Set(),
            id: undefined,
          }
          return called('seal', () => {
            disk.set(intent, it)
            return stored(intent, it)
          })
        },
        async discard() {},
      }
    },
  }
}
