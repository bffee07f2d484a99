import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatFrontMatter } from '../../../src/core/document/front-matter.ts'
import { mayBeBilled, type RequestError } from '../../../src/core/errors/request-error.ts'
import { computeMaxCost } from '../../../src/core/pricing/budget-state.ts'
import { sumAttemptCosts } from '../../../src/core/pricing/document-cost.ts'
import { addTotals, emptyTotals, toTotals } from '../../../src/core/pricing/totals.ts'
import { zeroUsage } from '../../../src/core/pricing/usage.ts'
import type { Attempt } from '../../../src/core/request/attempt.ts'
import type { DocumentEntry } from '../../../src/core/run/ledger-entry.ts'
import type { Outcome } from '../../../src/core/run/outcome.ts'
import { createStatsCollector } from '../../../src/core/run/run-stats.ts'
import { toLedgerEntry } from '../../../src/core/run/to-ledger-entry.ts'
import { createStatusError } from '../../support/scripted-ask.ts'

const source = { index: 0, path: 'a.md', namedByUser: true }
const facts = { prompt: 'summarize@v2', model: 'm', settingsHash: 'r' }
const attempt: Attempt = {
  path: 'a.md',
  attemptNumber: 1,
  startedAt: 0,
  elapsedMs: 1,
  model: 'm',
  status: 200,
}
const counted = (tokens: number): Attempt => ({
  ...attempt,
  usage: { ...zeroUsage, input_tokens: tokens, output_tokens: 1 },
  cost: BigInt(tokens) * 100_000n,
})
const { cost: _, ...unpriced } = counted(7)
const lost: RequestError = { kind: 'connection', type: 'reset', message: 'reset' }
const failed = (fault: RequestError): Attempt => ({ ...attempt, error: fault })

function ledgerLine(attempts: readonly Attempt[]): DocumentEntry {
  const outcome: Outcome = { document: source, attempts, elapsedMs: 1, status: 'pending', reason: '' }
  return toLedgerEntry(outcome, '2026-11-22T12:00:00.000Z', facts) as DocumentEntry
}

describe('the ledger entry of a document', () => {
  it('has the known part of the cost and the number of replies whose cost is unknown', () => {
    expect(ledgerLine([counted(5), attempt, unpriced, failed(createStatusError(529))])).toMatchObject({
      usage: { input_tokens: 12, output_tokens: 2 },
      cost_usd: 5e-7,
      replies_with_unknown_cost: 2,
      attempts: 4,
    })
    expect(ledgerLine([attempt])).toMatchObject({ usage: null, cost_usd: null, replies_with_unknown_cost: 1 })
    expect(ledgerLine([unpriced])).toMatchObject({
      usage: { input_tokens: 7 },
      cost_usd: null,
      replies_with_unknown_cost: 1,
    })
    expect(ledgerLine([counted(5)])).not.toHaveProperty('replies_with_unknown_cost')
    expect(ledgerLine([failed(createStatusError(400))])).toMatchObject({ usage: zeroUsage, cost_usd: 0 })
  })

  it('adds up to the totals that the run counts, for any result of the attempts', () => {
    const attempts = fc.array(
      fc.oneof(
        fc.nat(1000).map(counted),
        fc.constantFrom(
          attempt,
          unpriced,
          failed(lost),
          failed(createStatusError(504)),
          failed(createStatusError(400)),
        ),
      ),
      { minLength: 1, maxLength: 6 },
    )
    fc.assert(
      fc.property(fc.array(attempts, { maxLength: 5 }), (documents) => {
        const tally = createStatsCollector()
        for (const it of documents.flat()) tally.addAttempt(it)
        const report = tally.getStats(0)
        const lines = documents.map(ledgerLine)
        const ledger = lines.map(toTotals).reduce(addTotals, emptyTotals)
        expect(ledger.usage).toEqual(report.usage)
        expect(BigInt(ledger.cost_picodollars)).toBe(report.cost)
        expect(ledger.lost_replies).toBe(report.lostReplies)
        expect(ledger.documents_with_unknown_cost > 0).toBe(report.repliesWithUnknownCost > 0)
        expect(lines.reduce((sum, { replies_with_unknown_cost: uncounted = 0 }) => sum + uncounted, 0)).toBe(
          report.repliesWithUnknownCost,
        )
        expect(lines.reduce((sum, line) => sum + line.attempts, 0)).toBe(report.requests)
      }),
    )
  })
})

describe('sumAttemptCosts', () => {
  it('returns no total if a part is unknown, and the front matter shows null', () => {
    const { usage, cost, known } = sumAttemptCosts([counted(5), attempt])
    expect([usage, cost, known.cost]).toEqual([undefined, undefined, 500_000n])
    expect(formatFrontMatter(ledgerLine([counted(5), attempt]))).toContain(
      'output_tokens: null\ncost_usd: null\n',
    )
  })
})

describe('a lost reply', () => {
  const statuses = Array.from({ length: 200 }, (_, n) => 400 + n)

  it('is assumed after a gateway timeout, and never after a refusal by the API', () => {
    expect(statuses.filter((status) => mayBeBilled(createStatusError(status)))).toEqual([502, 504, 520, 524])
  })

  it('is counted by the ledger and the report exactly if --max-cost counts its worst case', () => {
    for (const fault of [lost, ...statuses.map((status) => createStatusError(status))]) {
      const isLost = sumAttemptCosts([failed(fault)]).lostReplies === 1
      expect(computeMaxCost([failed(fault)], 100n)).toBe(isLost ? 100n : 0n)
    }
  })
})
