import { describe, expect, it } from 'vitest'
import type { Attempt } from '../../../src/core/request/attempt.ts'
import { createStatsCollector } from '../../../src/core/run/run-stats.ts'
import { createStatusError } from '../../support/scripted-ask.ts'

const answered: Attempt = {
  path: 'a.md',
  attemptNumber: 1,
  startedAt: 0,
  elapsedMs: 1,
  model: 'm',
  status: 200,
}
const refused: Attempt = { ...answered, status: 529, error: createStatusError(529) }

describe('createStatsCollector', () => {
  it('counts retries by their cause, even while other chunks of the document are in flight', () => {
    const tally = createStatsCollector()
    // Two chunks fail at the same time, and a third one is sent before the two are retried.
    for (const attempt of [refused, refused, answered]) tally.addAttempt(attempt)
    for (let n = 0; n < 2; n++) tally.addAttempt({ ...answered, attemptNumber: 2 })
    expect([...tally.getStats(0).retriesByCause]).toEqual([['529', 2]])
  })
})
