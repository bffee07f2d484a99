import { expect, it } from 'vitest'
import { emptyTotals } from '../../src/core/pricing/totals.ts'
import { formatHistory } from '../../src/ui/format-history.ts'

it.each([
  [0, '$0'],
  [1, '$0 (1 lost response)'],
  [2, '$0 (2 lost responses)'],
])('the history shows %i lost responses next to the cost', (lost, cost) => {
  const text = formatHistory({
    runs: [],
    total: { ...emptyTotals, lost_replies: lost },
    summarized: 0,
    failures: new Map(),
    flagged: [],
    damagedLines: 0,
    stale: [],
  })
  expect(text).toContain(` ${cost}\n`)
})
