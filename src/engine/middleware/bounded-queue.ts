import type { Ask } from '../../core/request/ask.ts'
import type { Semaphore } from './semaphore.ts'

/** All slots are taken and as many wait as may. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
}

export interface BoundedQueue {
  /** Waits for a slot, first come, first served. Rejects with a `QueueFullError` at once where too many wait already. */
  readonly ask: Ask
  /** How many wait for a slot. */
  countWaiting(): number
}

export interface BoundedQueueOptions {
  readonly semaphore: Semaphore
  /** How many may wait for one. */
  readonly maxWaiting: number
  /** Aborted: whoever waits still is turned away with its reason, and so is whoever comes. */
  readonly drainSignal: AbortSignal
}

/** One pool for requests that come when they like: whoever finds no slot waits, and may leave while he does. */
export function createBoundedQueue(
  ask: Ask,
  { semaphore, maxWaiting, drainSignal }: BoundedQueueOptions,
): BoundedQueue {
  let [waiting, running] = [0, 0]
  return {
    countWaiting: () => waiting,
    async ask(request, signal, watch) {
      drainSignal.throwIfAborted()
      signal.throwIfAborted()
      if (running + waiting >= semaphore.getLimit() + maxWaiting)
        throw new QueueFullError('too many requests in the queue')
      let isStarted = false
      const runCounted: Ask = async (...asked) => {
        isStarted = true
        waiting--
        running++
        return ask(...asked).finally(() => running--)
      }
      waiting++
      try {
        return await semaphore.withPermit(runCounted, drainSignal)(request, signal, watch)
      } finally {
        if (!isStarted) waiting--
      }
    },
  }
}
