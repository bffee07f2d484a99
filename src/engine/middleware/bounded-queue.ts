import type { Ask } from '../../core/request/ask.ts'
import type { Semaphore } from './semaphore.ts'

/** All permits are taken and the queue is full. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
}

export interface BoundedQueue {
  /** Waits for a permit, first come, first served. Rejects immediately with a `QueueFullError` if the queue is full. */
  readonly ask: Ask
  /** The number of requests in the queue. */
  countWaiting(): number
}

export interface BoundedQueueOptions {
  readonly semaphore: Semaphore
  /** How many may wait for one. */
  readonly maxWaiting: number
  /** Aborted: whoever waits still is turned away with its reason, and so is whoever comes. */
  readonly drainSignal: AbortSignal
}

/** Returns a pool for requests that arrive at any time: they queue for a permit, and can leave the queue. */
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
