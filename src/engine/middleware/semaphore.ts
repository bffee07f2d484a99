import type { Ask } from '../../core/request/ask.ts'
import { withAnySignal } from '../with-any-signal.ts'
import { createWaitQueue, type WaitQueue } from './wait-queue.ts'

/** Limits what is in flight: a request holds a permit from its first attempt until its reply is saved. */
export interface Semaphore {
  /**
   * Runs `work` with a permit, once there is one; first come, first served. Rejects with the reason of a signal that
   * aborts before, and as the work does.
   * @param drainSignal aborted: no permit is given any more, but running work continues
   */
  runWithPermit<T>(drainSignal: AbortSignal, signal: AbortSignal, work: () => Promise<T>): Promise<T>
  /** Returns the same `Ask`, which holds a permit while it runs. */
  withPermit(ask: Ask, drain: AbortSignal): Ask
  /**
   * For work that holds a permit: releases it during a wait that needs none, then queues for one again. Rejects as
   * the wait does, or with the reason of the signal.
   */
  waitWithoutPermit(wait: () => Promise<void>, signal: AbortSignal): Promise<void>
  /** Adds a place, for a document that has to wait for itself, until what is returned is called. */
  addPlace(): () => void
  /** The current number of permits. */
  getLimit(): number
  /** How many documents may be open: one per permit, plus those that wait for a retry. */
  getMaxOpenDocuments(): number
  /** Calls back whenever there are more places, until what it returns is called. */
  onPlaceAdded(listener: () => void): () => void
}

/** So many may wait for themselves without keeping others from being opened: what is open is in memory. */
const maxWaitingDocuments = 256

/** @param getLimit returns the number of permits; called again whenever one is free */
export function createSemaphore(getLimit: () => number): Semaphore {
  const listeners = new Set<() => void>()
  let [inUse, extraPlaces] = [0, 0]
  // Work that comes and work that comes again take turns: many documents in trouble do not keep a new one waiting.
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
    // Nearly always there is one.
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
        // Its holder gives it back, however the work ends.
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
