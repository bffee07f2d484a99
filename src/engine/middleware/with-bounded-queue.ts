import type { Ask } from '../../core/request/ask.ts'
import type { Slots } from './semaphore.ts'

/** All slots are taken and as many wait as may. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError'
}

export interface Queue {
  /** Waits for a slot, first come, first served. Rejects with a `QueueFullError` at once where too many wait already. */
  readonly ask: Ask
  /** How many wait for a slot. */
  waiting(): number
}

export interface QueueOptions {
  readonly slots: Slots
  /** How many may wait for one. */
  readonly most: number
  /** Aborted: whoever waits still is turned away with its reason, and so is whoever comes. */
  readonly drain: AbortSignal
}

/** One pool for requests that come when they like: whoever finds no slot waits, and may leave while he does. */
export function queued(ask: Ask, { slots, most, drain }: QueueOptions): Queue {
  let [waiting, running] = [0, 0]
  return {
    waiting: () => waiting,
    async ask(request, signal, watch) {
      drain.throwIfAborted()
      signal.throwIfAborted()
      if (running + waiting >= slots.count() + most) throw new QueueFullError('too many wait already')
      let served = false
      const serve: Ask = async (...asked) => {
        served = true
        waiting--
        running++
        return ask(...asked).finally(() => running--)
      }
      waiting++
      try {
        return await slots.lend(serve, drain)(request, signal, watch)
      } finally {
        if (!served) waiting--
      }
    },
  }
}
