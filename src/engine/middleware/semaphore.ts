import type { Ask } from '../../core/request/ask.ts'
import { withAnySignal } from '../with-any-signal.ts'
import { createWaitQueue, type WaitQueue } from './wait-queue.ts'

/**
 * Limits the requests in flight. A request holds a permit from its first attempt until its reply is saved.
 */
export interface Semaphore {
  /**
   * Runs `work` with a permit, as soon as one is free; first come, first served. Rejects with the reason of a
   * signal that aborts before that, or with the error of `work`.
   * @param drainSignal when aborted, no more permits are given, but running work continues
   */
  runWithPermit<T>(drainSignal: AbortSignal, signal: AbortSignal, work: () => Promise<T>): Promise<T>
  /** Returns an `Ask` that holds a permit while it runs. */
  withPermit(ask: Ask, drain: AbortSignal): Ask
  /**
   * Releases the caller's permit during a wait, then queues for a permit again. Rejects with the error of
   * `wait` or the reason of the signal.
   */
  waitWithoutPermit(wait: () => Promise<void>, signal: AbortSignal): Promise<void>
  /** Adds a place for a document that waits for a retry, until the returned function is called. */
  addPlace(): () => void
  /** Returns the current number of permits. */
  getLimit(): number
  /** Returns how many documents may be open: one per permit, plus those that wait for a retry. */
  getMaxOpenDocuments(): number
  /** Calls the listener whenever a place is added, until the returned function is called. */
  onPlaceAdded(listener: () => void): () => void
}

/**
 * The maximum number of waiting documents for which others may be opened: every open document is in memory.
 */
const maxWaitingDocuments = 256

/** @param getLimit returns the number of permits; called again whenever one is free */
export function createSemaphore(getLimit: () => number): Semaphore {
  const listeners = new Set<() => void>()
  let [inUse, extraPlaces] = [0, 0]
  // New and returning work take turns, so that many retried documents do not block a new one.
  let turn: 'new' | 'again' = 'new'
  const acquire = (next: typeof turn) => {
    inUse++
    turn = next
    return true as const
  }
  const newWork: WaitQueue<void, true> = createWaitQueue(() =>
    inUse >= getLimit() || (turn === 'again' && returningWork.length() > 0) ? undefined : acquire('again'),
  )
  const returningWork: WaitQueue<void, true> = createWaitQueue(() =>
    inUse >= getLimit() || (turn === 'new' && newWork.length() > 0) ? undefined : acquire('new'),
  )
  const release = () => {
    inUse--
    for (let before = -1; before < inUse; ) {
      before = inUse
      newWork.advance()
      returningWork.advance()
    }
  }

  const runWithPermit: Semaphore['runWithPermit'] = async (drainSignal, signal, work) => {
    // The common case: a permit is free.
    if (newWork.length() + returningWork.length() === 0 && inUse < getLimit()) inUse++
    else await withAnySignal(drainSignal, signal, (combined) => newWork.join(undefined, combined))
    try {
      return await work()
    } finally {
      release()
    }
  }

  return {
    runWithPermit,
    withPermit:
      (ask, drainSignal) =>
      (...args) =>
        runWithPermit(drainSignal, args[1], () => ask(...args)),
    async waitWithoutPermit(wait, signal) {
      release()
      try {
        await wait()
        await returningWork.join(undefined, signal)
      } catch (error) {
        // `runWithPermit` releases the permit once more when the work ends.
        inUse++
        throw error
      }
    },
    addPlace() {
      extraPlaces++
      for (const listener of listeners) listener()
      return () => extraPlaces--
    },
    getLimit,
    getMaxOpenDocuments: () => getLimit() + Math.min(extraPlaces, maxWaitingDocuments),
    onPlaceAdded(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
