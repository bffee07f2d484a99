import { RunError } from '../core/errors/run-error.ts'
import { unlessAborted } from './unless-aborted.ts'

/**
 * Keeps results that were paid for, so that later calls do not pay for them again. Keys are short texts of `a-z`, `0-9`,
 * `_` and `/`. Values are texts, which may be several megabytes long. All methods may return promises.
 *
 * A `Map` is a store; most databases need a few lines around them. Only one call at a time may use a store for batches.
 * A signal does not wait for `get`, but for `set`.
 */
export interface Store {
  /**
   * Returns the value of a key; null or undefined without one.
   * @param key a key
   */
  get(key: string): string | null | undefined | PromiseLike<string | null | undefined>
  /**
   * Stores a value. It must be safe when this call ends: a result that gets lost afterwards is paid for again.
   * @param key a key
   * @param value a text
   */
  set(key: string, value: string): unknown
  /**
   * Removes a key, if it is there.
   * @param key a key
   */
  delete(key: string): unknown
}

/** Returns a store that lasts as long as the process. */
export function memoryStore(): Store {
  return new Map<string, string>()
}

/** Checks that a value is undefined or has the methods of a store. @throws TypeError */
export function checkStore(caller: string, store: unknown): void {
  if (store === undefined) return
  const { get, set, delete: remove } = Object(store) as Partial<Record<keyof Store, unknown>>
  if (![get, set, remove].every((method) => typeof method === 'function'))
    throw new TypeError(`${caller}: store must have the methods get, set and delete, as a Map has`)
}

/** A store of the caller failed, or has a value that cannot be used. `cause` is the caller's error. */
export class StoreError extends RunError {
  override readonly name = 'StoreError'
}

/** A store of the caller, whose errors become a {@link StoreError}. */
export interface CheckedStore {
  readonly original: Store
  /** @throws StoreError */
  get(key: string): Promise<string | undefined>
  /** @throws StoreError */
  set(key: string, value: string): Promise<void>
  /** @throws StoreError */
  delete(key: string): Promise<void>
}

/** Returns a store whose errors end the run, instead of looking like a bug. */
export function createCheckedStore(store: Store): CheckedStore {
  const call = async <T>(work: () => T | PromiseLike<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw new StoreError(error instanceof Error ? error.message : 'the store failed', { cause: error })
    }
  }
  return {
    original: store,
    async get(key) {
      const value = (await call(() => store.get(key))) ?? undefined
      if (value === undefined || typeof value === 'string') return value
      const type = Object(value).constructor?.name ?? 'an object'
      throw new StoreError(
        `the store returned ${type} for ${key}; it must return a string, null or undefined`,
      )
    },
    async set(key, value) {
      await call(() => store.set(key, value))
    },
    async delete(key) {
      await call(() => store.delete(key))
    },
  }
}

/**
 * Returns a store whose `get` rejects with the signal's reason as soon as it aborts, however slow the store is. `set`
 * and `delete` end as always, so that what was paid for is kept.
 */
export function stopReadsOnAbort(store: CheckedStore, signal: AbortSignal): CheckedStore {
  return {
    ...store,
    async get(key) {
      const value = await unlessAborted(store.get(key), signal)
      signal.throwIfAborted()
      return value
    },
  }
}
