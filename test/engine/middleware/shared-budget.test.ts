import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import { BudgetExceededError } from '../../../src/core/errors/run-error.ts'
import { computeWorstCaseCost } from '../../../src/core/pricing/budget-state.ts'
import { listPrice, type Picodollars } from '../../../src/core/pricing/pricing-rules.ts'
import type { Usage } from '../../../src/core/pricing/usage.ts'
import { zeroUsage } from '../../../src/core/pricing/usage.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import { createSharedBudget } from '../../../src/engine/middleware/shared-budget.ts'
import { type AttemptListener, withAttemptLog } from '../../../src/engine/middleware/with-attempt-log.ts'
import { runPool } from '../../../src/engine/run-pool.ts'
import { createShutdown } from '../../../src/engine/shutdown.ts'
import {
  createReply,
  createRequest,
  createScriptedAsk,
  createStatusError,
} from '../../support/scripted-ask.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const { abortSignal: never } = createShutdown()
const listener: AttemptListener = { onSend() {}, onEnd() {} }
/** The worst case of a request in these tests. */
const worst = computeWorstCaseCost(createRequest('a.md'), listPrice) ?? 0n
const costOf = (usage: Usage) => listPrice({ model: 'claude-haiku-5-5', usage }) ?? 0n

function pursed(service: Ask, cap: Picodollars) {
  const purse = createSharedBudget(cap, listPrice)
  return { purse, ask: purse.withBudget(withAttemptLog(service, createVirtualClock(), listener), never) }
}

describe('createSharedBudget', () => {
  it('counts a reply at its actual cost, and a refused request as free', async () => {
    const { purse, ask } = pursed(
      createScriptedAsk('ok', createStatusError(529), createStatusError(400)),
      10n * worst,
    )
    await ask(createRequest('a.md'), never)
    const after = {
      cap: 10n * worst,
      spent: costOf({ ...zeroUsage, input_tokens: 100, output_tokens: 20 }),
      reserved: 0n,
    }
    expect(purse.getBudget()).toEqual(after)
    await expect(ask(createRequest('b.md'), never)).rejects.toThrow(AskError)
    await expect(ask(createRequest('c.md'), never)).rejects.toThrow(AskError)
    expect(purse.getBudget()).toEqual(after)
  })

  it.each([
    ['a lost reply', { kind: 'connection', type: 'reset', message: 'reset' } as const],
    ['a gateway timeout', createStatusError(504)],
    ['a reply without usage', (({ usage: _, ...uncounted }) => uncounted)(createReply('text'))],
  ])('counts %s as the worst case', async (_, step) => {
    const { purse, ask } = pursed(createScriptedAsk(step), 10n * worst)
    await ask(createRequest('a.md'), never).catch(() => {})
    expect(purse.getBudget()).toMatchObject({ spent: worst, reserved: 0n })
  })

  it('refuses a request that does not fit because of reservations for batches, without waiting', async () => {
    const { purse, ask } = pursed(createScriptedAsk('ok'), (5n * worst) / 4n)
    const settle = purse.reserve(createRequest('a.md'))
    await expect(ask(createRequest('b.md'), never)).rejects.toBeInstanceOf(BudgetExceededError)
    settle?.(0n)
    await expect(ask(createRequest('b.md'), never)).resolves.toMatchObject({ text: 'summary of b.md' })
  })

  it('refuses a request that does not fit, with the amount spent in the message', async () => {
    const service = createScriptedAsk('ok')
    const { ask } = pursed(service, worst)
    await ask(createRequest('a.md'), never)
    const refused = ask(createRequest('b.md'), never)
    await expect(refused).rejects.toThrow(BudgetExceededError)
    await expect(refused).rejects.toThrow(
      /^stopped at the budget of \$0\.\d+: \$0\.00002 is spent, and the next/,
    )
    expect(service.requests).toHaveLength(1)
  })

  it('delays requests that fit after other reservations are released', async () => {
    const { purse, ask } = pursed(
      createScriptedAsk('ok'),
      worst + 3n * costOf({ ...zeroUsage, input_tokens: 100, output_tokens: 20 }),
    )
    const asked = ['a', 'b', 'c', 'd', 'e'].map((path) => ask(createRequest(path), never))
    const results = await Promise.allSettled(asked)
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ])
    expect(purse.getBudget().reserved).toBe(0n)
  })

  it('removes an aborted caller from the queue', async () => {
    const { purse, ask } = pursed(createScriptedAsk('ok'), worst)
    const { drainSignal, drain: stop } = createShutdown()
    const first = ask(createRequest('a'), never)
    const leaves = ask(createRequest('b'), drainSignal)
    stop(new Error('enough'))
    await expect(leaves).rejects.toThrow('enough')
    await first
    expect(purse.getBudget().reserved).toBe(0n)
  })

  it('never spends more than the cap, and refuses a request only if its worst case does not fit', () => {
    const ending = fc.constantFrom('answered', 'lost', 'refused', 'uncounted')
    const jobs = fc.array(
      fc.record({
        size: fc.nat(5000),
        used: fc.double({ min: 0, max: 1, noNaN: true }),
        ending,
        ms: fc.nat(50),
      }),
      { minLength: 1, maxLength: 40 },
    )
    return fc.assert(
      fc.asyncProperty(
        jobs,
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 0, max: 120 }),
        async (jobs, size, percent) => {
          const clock = createVirtualClock()
          const requests = jobs.map(({ size }, n) =>
            createRequest(String(n), { user: 'x'.repeat(size), maxTokens: 200 }),
          )
          const worsts = requests.map((request) => computeWorstCaseCost(request, listPrice) ?? 0n)
          const cap = (worsts.reduce((sum, worst) => sum + worst, 0n) * BigInt(percent)) / 100n
          let billed = 0n
          const purse = createSharedBudget(cap, listPrice)
          const service: Ask = async ({ path, user, maxTokens }, signal) => {
            const { used, ending, ms } = jobs[Number(path)] ?? { used: 0, ending: '', ms: 0 }
            await clock.sleep(ms, signal)
            if (ending === 'refused') throw new AskError(createStatusError(529))
            const usage = {
              ...zeroUsage,
              input_tokens: Math.round(user.length * used),
              output_tokens: Math.round(maxTokens * used),
            }
            billed += costOf(usage)
            if (ending === 'lost') throw new AskError({ kind: 'connection', type: 'reset', message: 'reset' })
            const { usage: _, ...uncounted } = createReply('text')
            return ending === 'uncounted' ? uncounted : createReply('text', { usage })
          }
          const ask = purse.withBudget(withAttemptLog(service, clock, listener), never)
          let stopped: bigint | undefined
          const run = async () => {
            const results = runPool(requests, { getLimit: () => size }, async (request) => {
              if (stopped !== undefined) return
              await ask(request, never).catch((error: unknown) => {
                if (error instanceof BudgetExceededError) stopped ??= worsts[Number(request.path)]
              })
            })
            for await (const _ of results);
          }
          await clock.run(run())
          const { spent, reserved } = purse.getBudget()
          expect(billed <= spent && spent <= cap).toBe(true)
          expect(reserved).toBe(0n)
          if (stopped !== undefined) expect(cap - spent < stopped).toBe(true)
        },
      ),
      { numRuns: 60 },
    )
  })
})
