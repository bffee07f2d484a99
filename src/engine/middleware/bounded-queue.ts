import type { Ask } from '../../core/request/ask.ts'
import type { Semaphore } from './semaphore.ts'

/** All permits are taken and the queue is full. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
}

export interface BoundedQueue {
  /**
   * Waits for a permit, first come, first served. Rejects immediately with a `QueueFullError` if the queue is
   * full.
   */
  readonly ask: Ask
  /** The number of requests in the queue. */
  countWaiting(): number
}

export interface BoundedQueueOptions {
  readonly semaphore: Semaphore
  /** The maximum number of requests in the queue. */
  readonly maxWaiting: number
  /** When aborted, queued and new requests are rejected with its reason. */
  readonly drainSignal: AbortSignal
}

/**
 * Returns a queue for requests that arrive at any time. A request waits for a permit, and can leave the
 * queue.
 */
export function createBoundedQueue(
  ask: Ask,
  { semaphore, maxWaiting, drainSignal }: BoundedQueueOptions,
): BoundedQueue {
  let [waiting, running] = [0, 0]
  return {
    countWaiting: () => waiting,
    async ask(request, signal, onText) {
      drainSignal.throwIfAborted()
      signal.throwIfAborted()
      if (running + waiting >= semaphore.getLimit() + maxWaiting)
        throw new QueueFullError('too many requests in the queue')
      let isStarted = false
      const runCounted: Ask = async (...args) => {
        isStarted = true
        waiting--
        running++
        return ask(...args).finally(() => running--)
      }
      waiting++
      try {
        return await semaphore.withPermit(runCounted, drainSignal)(request, signal, onText)
      } finally {
        if (!isStarted) waiting--
      }
    },
  }
}
