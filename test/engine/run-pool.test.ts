import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { runPool } from '../../src/engine/run-pool.ts'
import { longWait } from '../support/long-wait.ts'
import { createVirtualClock } from '../support/virtual-clock.ts'

const collect = async <T>(items: AsyncIterable<T>) => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('runPool', () => {
  it('yields every result once, and uses its whole size but never more', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        async (delays, size) => {
          const clock = createVirtualClock()
          let running = 0
          let most = 0
          const results = runPool(delays.entries(), { getLimit: () => size }, async ([index, delay]) => {
            running++
            most = Math.max(most, running)
            await clock.sleep(delay)
            running--
            return index
          })
          const all = await clock.run(collect(results))
          expect(all.toSorted((a, b) => a - b)).toEqual([...delays.keys()])
          expect(most).toBe(Math.min(size, delays.length))
        },
      ),
      { numRuns: 30 },
    )
  })

  it('takes items only as places become free, so that 100,000 items do not wait as promises', async () => {
    let taken = 0
    function* items() {
      while (taken < 100_000) yield taken++
    }
    for await (const _ of runPool(items(), { getLimit: () => 4 }, async (item) => item)) {
      expect(taken).toBeLessThanOrEqual(20)
      if (taken > 12) break
    }
  })

  it('runs at most maxLead items ahead of the oldest unfinished item', async () => {
    const clock = createVirtualClock()
    let furthest = 0
    const delays = [1000, ...Array.from({ length: 50 }, () => 1)]
    const results = runPool(delays.entries(), { getLimit: () => 4, maxLead: 10 }, async ([index, delay]) => {
      if (clock.now() < 1000) furthest = Math.max(furthest, index)
      await clock.sleep(delay)
      return index
    })
    expect(await clock.run(collect(results))).toHaveLength(51)
    expect(furthest).toBe(9)
  })

  it('takes another item as soon as its limit increases', async () => {
    let size = 1
    let grow = () => {}
    let ignored = false
    const onLimitIncrease = (listener: () => void) => {
      grow = listener
      return () => {
        ignored = true
      }
    }
    const clock = createVirtualClock()
    const starts: number[] = []
    const results = runPool([1, 2, 3], { getLimit: () => size, onLimitIncrease }, async () => {
      starts.push(clock.now())
      await clock.sleep(1000)
    })
    const growing = clock.sleep(100).then(() => {
      size = 2
      grow()
    })
    await clock.run(Promise.all([collect(results), growing]))
    expect([starts, ignored]).toEqual([[0, 100, 1000], true])
  })

  it('yields results while it waits for the next item of a slow source', async () => {
    const clock = createVirtualClock()
    async function* slow() {
      for (let n = 0; n < 3; n++) {
        yield n
        await clock.sleep(1000)
      }
    }
    const seen: (readonly [number, number])[] = []
    const all = async () => {
      for await (const n of runPool(slow(), { getLimit: () => 2 }, async (n) => n))
        seen.push([n, clock.now()])
    }
    await clock.run(all())
    expect(seen).toEqual([0, 1, 2].map((n) => [n, n * 1000]))
  })

  it('closes its source if the consumer stops early', async () => {
    let closed = false
    async function* endless() {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        closed = true
      }
    }
    for await (const n of runPool(endless(), { getLimit: () => 2 }, async (n) => n)) if (n > 5) break
    await vi.waitFor(() => expect(closed).toBe(true), longWait)
  })

  it('throws an error of the source after the earlier results', async () => {
    async function* broken() {
      yield 1
      throw new Error('the source broke')
    }
    const results = runPool(broken(), { getLimit: () => 2 }, async (n) => n)
    expect(await results.next()).toEqual({ value: 1, done: false })
    await expect(results.next()).rejects.toThrow('the source broke')
  })

  it('throws an unexpected error of the work', async () => {
    const results = runPool([1], { getLimit: () => 1 }, () => Promise.reject(new Error('bug')))
    await expect(collect(results)).rejects.toThrow('bug')
  })
})
