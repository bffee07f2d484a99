import type { Batch, BatchAnswer, Packed } from '../../src/core/batch/batch.ts'
import type { Batches } from '../../src/core/batch/batch-api.ts'
import type { BatchStore, StoredBatch } from '../../src/core/batch/batch-store.ts'
import { AskError } from '../../src/core/errors/ask-error.ts'
import type { Fault } from '../../src/core/errors/request-error.ts'
import type { Clock } from '../../src/core/rate-limit/clock.ts'
import { replyOf } from './scripted-ask.ts'

/** What happens to a call: it fails before anything is done, or after all is done. */
type Trouble = { readonly before: Fault | Error } | { readonly after: Fault | Error } | undefined

export type Calls = 'create' | 'retrieve' | 'since' | 'answers' | 'line'

export interface BatchScript {
  readonly clock: Clock
  /** How long a batch takes: milliseconds. */
  readonly takesMs?: number
  /** Asked at each call. */
  readonly trouble?: (call: Calls) => Trouble
  /** What becomes of a request; a reply, if left out. */
  /** Why a batch of these documents is not created. */
  readonly refuses?: (paths: readonly string[]) => Fault | undefined
  readonly resultOf?: (path: string, batch: string) => BatchAnswer['result'] | undefined
}

interface Made {
  readonly batch: Batch
  readonly items: readonly { readonly custom_id: string; readonly path: string }[]
}

/** The service's batches, in memory; its state outlives every run that is cut off. */
export function scriptedBatches({ clock, takesMs = 90_000, trouble, refuses, resultOf }: BatchScript) {
  const made = new Map<string, Made>()
  const lists: number[] = []
  const fail = (problem: Fault | Error) => (problem instanceof Error ? problem : new AskError(problem))
  async function called<T>(call: Calls, work: () => T | Promise<T>): Promise<T> {
    const happens = trouble?.(call)
    if (happens !== undefined && 'before' in happens) throw fail(happens.before)
    const done = await work()
    if (happens !== undefined) throw fail(happens.after)
    return done
  }
  const isEnded = ({ created }: Batch) => clock.wall() >= created + takesMs
  const now = ({ batch }: Made): Batch =>
    isEnded(batch) ? { ...batch, state: 'ended', ended: batch.created + takesMs } : batch

  const batches: Batches = {
    entry: (id, { path }) => JSON.stringify({ custom_id: id, path }),
    create: (body) =>
      called('create', async () => {
        const chunks: Uint8Array[] = []
        for await (const chunk of body) chunks.push(chunk)
        const { requests } = JSON.parse(Buffer.concat(chunks).toString()) as { requests: Made['items'] }
        const refusal = refuses?.(requests.map(({ path }) => path))
        if (refusal !== undefined) throw new AskError(refusal)
        const id = `msgbatch_${made.size + 1}`
        const batch = {
          id,
          state: 'in_progress',
          requests: requests.length,
          created: clock.wall(),
          archived: false,
        } as const
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
    since: (time) =>
      called('since', () => {
        lists.push(clock.now())
        const batches = [...made.values()].map(now).filter(({ created }) => created >= time)
        return { batches, isComplete: true }
      }),
    cancel: (id) => batches.retrieve(id, new AbortController().signal),
    async *answers(id) {
      const items = await called('answers', () => made.get(id)?.items ?? [])
      for (const { custom_id, path } of [...items].reverse()) {
        const result = resultOf?.(path, id) ?? {
          reply: replyOf(`summary of ${path}`, { terms: { batch: true } }),
        }
        yield await called('line', () => ({ id: custom_id, result }))
      }
    },
  }
  return {
    batches,
    made,
    lists,
    /** How often each document was billed. */
    billed() {
      const counts = new Map<string, number>()
      for (const { batch, items } of made.values()) {
        if (!isEnded(batch)) continue
        for (const { path } of items) {
          const result = resultOf?.(path, batch.id)
          if (result === undefined || (typeof result === 'object' && 'reply' in result))
            counts.set(path, (counts.get(path) ?? 0) + 1)
        }
      }
      return counts
    },
  }
}

interface OnDisk {
  readonly packed: number
  readonly documents: ReadonlyMap<string, Packed>
  readonly body: string
  readonly settled: Set<string>
  id: string | undefined
}

/** How many batches were packed on each disk: two never have one name. */
const packings = new WeakMap<object, number>()

export type StoreCalls = 'seal' | 'made' | 'settle' | 'forget'

/**
 * What `openBatches` remembers, in memory: `disk` is what is left by a run that is cut off.
 * @param called surrounds each change of the disk, and may throw before or after it
 */
export function batchStoreOn(
  disk: Map<string, OnDisk>,
  clock: Clock,
  isSettled: (id: string, path: string) => boolean = () => false,
  called: <T>(call: StoreCalls, work: () => T) => Promise<T> = async (_, work) => work(),
): BatchStore {
  const stored = (intent: string, it: OnDisk): StoredBatch => ({
    intent,
    endpoint: 'here',
    packed: it.packed,
    documents: it.documents,
    get id() {
      return it.id
    },
    async *body() {
      yield Buffer.from(it.body)
    },
    async *entries() {
      const { requests } = JSON.parse(it.body) as { requests: object[] }
      for (const request of requests) yield JSON.stringify(request)
    },
    made: (id) =>
      called('made', () => {
        it.id = id
      }),
    isSettled: (path) => it.settled.has(path) || (it.id !== undefined && isSettled(it.id, path)),
    settle: (names) =>
      called('settle', () => {
        for (const name of names) it.settled.add(it.documents.get(name)?.path ?? '')
      }),
    forget: () => called('forget', () => void disk.delete(intent)),
  })
  return {
    open: [...disk].map(([intent, it]) => stored(intent, it)),
    async pack() {
      const count = (packings.get(disk) ?? 0) + 1
      packings.set(disk, count)
      const intent = String(count).padStart(16, '0')
      const documents = new Map<string, Packed>()
      const entries: string[] = []
      return {
        intent,
        get load() {
          return { requests: entries.length, bytes: entries.join().length }
        },
        async add(id, document, entry) {
          documents.set(id, document)
          entries.push(entry)
        },
        async seal() {
          const it: OnDisk = {
            packed: clock.wall(),
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
