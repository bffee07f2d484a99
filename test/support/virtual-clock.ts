import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../src/core/run/clock.ts'

/** A clock that only advances while all code sleeps: it jumps to the next wake-up. */
export interface VirtualClock extends Clock {
  /** Advances the time until the promise settles. */
  run<T>(promise: Promise<T>): Promise<T>
}

interface Sleeper {
  readonly at: number
  readonly wake: () => void
}

/** Far more than any test needs, so that an endless loop of sleeps is an error. */
const maxWakes = 100_000

export function createVirtualClock(): VirtualClock {
  let now = 0
  const sleepers = new Set<Sleeper>()
  return {
    now: () => now,
    wallTime: () => Date.parse('2026-11-22T12:00:00Z') + now,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        const aborted = () => {
          sleepers.delete(sleeper)
          reject(signal?.reason)
        }
        const sleeper = {
          at: now + ms,
          wake() {
            signal?.removeEventListener('abort', aborted)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', aborted)
      })
    },
    async run(promise) {
      let settled = false
      const done = promise.finally(() => {
        settled = true
      })
      done.catch(() => {})
      let wakes = 0
      for (let idle = 0; !settled && idle < 100; ) {
        // Several turns of the event loop, so that all code that does not sleep has run.
        for (let turns = 0; turns < 4; turns++) await turn()
        const next = [...sleepers].sort((a, b) => a.at - b.at)[0]
        if (settled || next === undefined) {
          idle++
          continue
        }
        idle = 0
        if (++wakes > maxWakes) throw new Error(`still not ended after ${now} ms, and asleep again`)
        sleepers.delete(next)
        now = Math.max(now, next.at)
        next.wake()
      }
      if (!settled)
        throw new Error('nothing sleeps and nothing ends: the code under test waits for something else')
      return done
    },
  }
}
