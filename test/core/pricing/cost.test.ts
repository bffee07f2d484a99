import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frontMatter } from '../../../src/core/document/front-matter.ts'
import { type Fault, mayBeBilled } from '../../../src/core/errors/request-error.ts'
import { mostOf } from '../../../src/core/pricing/budget.ts'
import { billOf } from '../../../src/core/pricing/cost.ts'
import { accountOf, addAccounts, emptyAccount } from '../../../src/core/pricing/totals.ts'
import { noUsage } from '../../../src/core/pricing/usage.ts'
import type { Attempt } from '../../../src/core/request/attempt.ts'
import { type DocumentLine, lineOf } from '../../../src/core/run/ledger-entry.ts'
import { createTally } from '../../../src/core/run/run-stats.ts'
import { statusFault } from '../../support/scripted-ask.ts'

const source = { index: 0, path: 'a.md', named: true }
const facts = { prompt: 'summarize@v2', model: 'm', recipe: 'r' }
const attempt: Attempt = { path: 'a.md', attempt: 1, at: 0, elapsedMs: 1, model: 'm', status: 200 }
const counted = (tokens: number): Attempt => ({
  ...attempt,
  usage: { ...noUsage, input: tokens, output: 1 },
  cost: BigInt(tokens) * 100_000n,
})
const { cost: _, ...unpriced } = counted(7)
const lost: Fault = { kind: 'connection', type: 'reset', message: 'reset' }
const failed = (fault: Fault): Attempt => ({ ...attempt, fault })

function ledgerLine(attempts: readonly Attempt[]): DocumentLine {
  const outcome = { source, attempts, elapsedMs: 1, status: 'pending', reason: '' } as const
  return lineOf(outcome, '2026-11-22T12:00:00.000Z', facts) as DocumentLine
}

describe('the line of a document in the ledger', () => {
  it('has the known part of its cost, and says how many answers are not in it', () => {
    expect(ledgerLine([counted(5), attempt, unpriced, failed(statusFault(529))])).toMatchObject({
      usage: { input: 12, output: 2 },
      cost_usd: 5e-7,
      uncounted: 2,
      attempts: 4,
    })
    expect(ledgerLine([attempt])).toMatchObject({ usage: null, cost_usd: null, uncounted: 1 })
    expect(ledgerLine([unpriced])).toMatchObject({ usage: { input: 7 }, cost_usd: null, uncounted: 1 })
    expect(ledgerLine([counted(5)])).not.toHaveProperty('uncounted')
    expect(ledgerLine([failed(statusFault(400))])).toMatchObject({ usage: noUsage, cost_usd: 0 })
  })

  it('adds up to what the run counts while it goes on, whatever became of the attempts', () => {
    const attempts = fc.array(
      fc.oneof(
        fc.nat(1000).map(counted),
        fc.constantFrom(attempt, unpriced, failed(lost), failed(statusFault(504)), failed(statusFault(400))),
      ),
      { minLength: 1, maxLength: 6 },
    )
    fc.assert(
      fc.property(fc.array(attempts, { maxLength: 5 }), (documents) => {
        const tally = createTally()
        for (const it of documents.flat()) tally.attempt(it)
        const report = tally.report(0)
        const lines = documents.map(ledgerLine)
        const ledger = lines.map(accountOf).reduce(addAccounts, emptyAccount)
        expect(ledger.usage).toEqual(report.usage)
        expect(BigInt(ledger.cost_picodollars)).toBe(report.cost)
        expect(ledger.lost).toBe(report.lostReplies)
        expect(ledger.unknown_cost > 0).toBe(report.unknownCost > 0)
        expect(lines.reduce((sum, { uncounted = 0 }) => sum + uncounted, 0)).toBe(report.unknownCost)
        expect(lines.reduce((sum, line) => sum + line.attempts, 0)).toBe(report.requests)
      }),
    )
  })
})

describe('a bill', () => {
  it('is unknown as a whole, and so is what stands on top of a summary, where a part of it is', () => {
    const { usage, cost, known } = billOf([counted(5), attempt])
    expect([usage, cost, known.cost]).toEqual([undefined, undefined, 500_000n])
    expect(frontMatter(ledgerLine([counted(5), attempt]))).toContain('tokens_out: null\ncost_usd: null\n')
  })
})

describe('an answer that was lost on the way', () => {
  const statuses = Array.from({ length: 200 }, (_, n) => 400 + n)

  it('is one that a gateway gave up waiting for, and is never one that the API refused', () => {
    expect(statuses.filter((status) => mayBeBilled(statusFault(status)))).toEqual([502, 504, 520, 524])
  })

  it('is the same for the ledger, for the report, and for what --max-cost counts as spent', () => {
    for (const fault of [lost, ...statuses.map((status) => statusFault(status))]) {
      const isLost = billOf([failed(fault)]).lost === 1
      expect(mostOf([failed(fault)], 100n)).toBe(isLost ? 100n : 0n)
    }
  })
})
