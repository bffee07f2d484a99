import { expect, it } from 'vitest'
import { emptyAccount } from '../../src/core/pricing/totals.ts'
import { historyText } from '../../src/ui/history.ts'

it.each([
  [0, '$0'],
  [1, '$0 (1 lost reply)'],
  [2, '$0 (2 lost replies)'],
])('the account of past runs tells of %i replies that were lost beside the cost', (lost, cost) => {
  const text = historyText({
    runs: [],
    total: { ...emptyAccount, lost },
    standing: 0,
    failing: new Map(),
    doubtful: [],
    damaged: 0,
    stale: [],
  })
  expect(text).toContain(` ${cost}\n`)
})
