import type { Ask } from '../core/ask.ts'
import { pool } from './pool.ts'

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
  /** Slots of the pool; see the pool's option `size`. */
  readonly slots: () => number
  /** How many may wait for one. */
  readonly most: number
  /** Aborted: whoever waits still is turned away with its reason, and so is whoever comes. */
  readonly drain: AbortSignal
}

/** One pool for requests that come when they like: whoever finds no slot waits, and may leave while he does. */
export function queued(ask: Ask, { slots, most, drain }: QueueOptions): Queue {
  const line = new Set<() => Promise<void>>()
  let running = 0
  let wake = () => {}

  async function* arrivals() {
    while (true) {
      for (const work of line) {
        line.delete(work)
        yield work
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  const serve = async () => {
    // The work tells whoever waits for it how it went.
    for await (const _ of pool(arrivals(), { size: slots }, (work) => work()));
  }
  void serve()

  return {
    waiting: () => line.size,
    ask(request, signal, watch) {
      return new Promise((resolve, reject) => {
        drain.throwIfAborted()
        signal.throwIfAborted()
        if (running + line.size >= slots() + most) throw new QueueFullError('too many wait already')
        const leave = () => {
          line.delete(work)
          settle()
          reject(drain.aborted ? drain.reason : signal.reason)
        }
        const settle = () => {
          drain.removeEventListener('abort', leave)
          signal.removeEventListener('abort', leave)
        }
        const work = async () => {
          settle()
          running++
          await ask(request, signal, watch).then(resolve, reject)
          running--
        }
        drain.addEventListener('abort', leave, { once: true })
        signal.addEventListener('abort', leave, { once: true })
        line.add(work)
        wake()
      })
    },
  }
}
