import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { computeWorstCaseCost } from '../../../src/core/pricing/budget-state.ts'
import { listPrice } from '../../../src/core/pricing/pricing-rules.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import { createApiHealth } from '../../../src/engine/middleware/api-health.ts'
import { createBoundedQueue } from '../../../src/engine/middleware/bounded-queue.ts'
import { createCircuitBreaker } from '../../../src/engine/middleware/circuit-breaker.ts'
import { createRateLimiter, type RateLimiterOptions } from '../../../src/engine/middleware/rate-limiter.ts'
import { createSemaphore } from '../../../src/engine/middleware/semaphore.ts'
import { createSharedBudget } from '../../../src/engine/middleware/shared-budget.ts'
import { trackDocument } from '../../../src/engine/middleware/track-document.ts'
import { createWaitQueue } from '../../../src/engine/middleware/wait-queue.ts'
import { createReply, createRequest } from '../../support/scripted-ask.ts'
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts'

const never = new AbortController().signal

describe('createWaitQueue', () => {
  it('admits callers in order of arrival', async () => {
    let room = 1
    const line = createWaitQueue((size: number) => (size <= room ? { size } : undefined))
    const passed: number[] = []
    for (const size of [1, 3, 2]) void line.join(size, never).then(() => passed.push(size))
    await Promise.resolve()
    expect([passed, line.length()]).toEqual([[1], 2])
    room = 2
    line.advance()
    await Promise.resolve()
    expect(passed).toEqual([1])
    room = 3
    line.advance()
    await Promise.resolve()
    expect([passed, line.length()]).toEqual([[1, 3, 2], 0])
  })

  it('admits the next caller if the first one leaves', async () => {
    const leave = new AbortController()
    const line = createWaitQueue((size: number) => (size <= 1 ? { size } : undefined))
    const first = line.join(2, leave.signal)
    const second = line.join(1, never)
    leave.abort(new Error('left'))
    await expect(first).rejects.toThrow('left')
    expect(await second).toEqual({ size: 1 })
  })

  it('rejects only the caller that is refused', async () => {
    const line = createWaitQueue((name: string) => {
      if (name === 'bad') throw new Error('refused')
      return { name }
    })
    await expect(line.join('bad', never)).rejects.toThrow('refused')
    expect(await line.join('good', never)).toEqual({ name: 'good' })
  })
})

/** A middleware in which callers queue; `allIsBack` returns whether everything it lent was returned. */
interface Place {
  readonly name: string
  make(service: Ask, clock: VirtualClock): { readonly ask: Ask; allIsBack(): boolean }
}
const worst = computeWorstCaseCost(createRequest('0'), listPrice) ?? 0n
const drain = never
const places: readonly Place[] = [
  {
    name: 'a permit',
    make(service) {
      const slots = createSemaphore(() => 2)
      return { ask: slots.withPermit(service, drain), allIsBack: () => true }
    },
  },
  {
    name: 'a place in the bounded queue',
    make(service) {
      const { ask, countWaiting: waiting } = createBoundedQueue(service, {
        semaphore: createSemaphore(() => 2),
        maxWaiting: 100,
        drainSignal: drain,
      })
      return { ask, allIsBack: () => waiting() === 0 }
    },
  },
  {
    name: 'a budget',
    make(service) {
      // The budget fits two requests, which cost nothing because they have no attempts.
      const purse = createSharedBudget(2n * worst + worst / 2n, listPrice)
      return { ask: purse.withBudget(service, drain), allIsBack: () => purse.getBudget().reserved === 0n }
    },
  },
  {
    name: 'the rate limiter',
    make(service, clock) {
      const circuitBreaker = createCircuitBreaker({ clock, random: () => 1, maxWaitMs: 1e9 })
      const health = createApiHealth({ initial: 8, max: 8 }, clock)
      const options: Omit<RateLimiterOptions, 'trackDocument'> = {
        configured: { requests: 60 },
        maxConcurrency: 8,
        charactersPerToken: 2.5,
        circuitBreaker,
        clock,
        random: () => 0,
      }
      const limiter = createRateLimiter({
        ...options,
        trackDocument: () => trackDocument({ health, circuitBreaker, clock, maxWaitMs: 1e9 }),
      })
      return { ask: limiter.withRateLimit(service, drain), allIsBack: () => true }
    },
  },
]

describe.each(places)('callers that queue for $name', ({ make }) => {
  const callers = fc.array(
    fc.record({
      /** When the caller arrives, how long its request takes, and when it leaves (ms). */
      at: fc.nat(4000),
      takes: fc.integer({ min: 1, max: 3000 }),
      leaves: fc.option(fc.nat(6000)),
    }),
    { minLength: 1, maxLength: 14 },
  )

  it('leave as soon as their signal aborts, the others are served in order, and no permit is lost', () =>
    fc.assert(
      fc.asyncProperty(callers, async (callers) => {
        const clock = createVirtualClock()
        const began: number[] = []
        const service: Ask = async ({ path }, signal) => {
          signal.throwIfAborted()
          began.push(Number(path))
          await clock.sleep(callers[Number(path)]?.takes ?? 0, signal)
          return createReply(path)
        }
        const { ask, allIsBack } = make(service, clock)
        const arrived: number[] = []
        const one = async ({ at, leaves }: (typeof callers)[number], n: number) => {
          const leave = new AbortController()
          await clock.sleep(at)
          if (leaves !== null) void clock.sleep(leaves).then(() => leave.abort(new Error('left')))
          arrived.push(n)
          const ended = await ask(createRequest(String(n)), leave.signal).then(
            () => 'served',
            (error: Error) => error.message,
          )
          return { ended, leftAt: leaves === null ? undefined : at + leaves, endedAt: clock.now() }
        }
        const ends = await clock.run(Promise.all(callers.map(one)))
        for (const { ended, leftAt, endedAt } of ends) {
          if (ended !== 'served') expect([ended, endedAt]).toEqual(['left', leftAt])
          else if (leftAt !== undefined) expect(endedAt).toBeLessThanOrEqual(leftAt)
        }
        expect(began).toEqual(arrived.filter((n) => began.includes(n)))
        expect(allIsBack()).toBe(true)
        // The next caller is served.
        expect((await clock.run(ask(createRequest('next'), never))).text).toBe('next')
      }),
      { numRuns: 40 },
    ))
})
