import { describe, expect, it } from 'vitest'
import type { Attempt } from '../../../src/core/request/attempt.ts'
import { createTally } from '../../../src/core/run/run-stats.ts'
import { statusFault } from '../../support/scripted-ask.ts'

const answered: Attempt = { path: 'a.md', attempt: 1, at: 0, elapsedMs: 1, model: 'm', status: 200 }
const refused: Attempt = { ...answered, status: 529, fault: statusFault(529) }

describe('retries', () => {
  it('are counted by what made them necessary, also while other chunks of the document are asked about', () => {
    const tally = createTally()
    // Two chunks fail at the same time; a third one is asked about before they are tried again.
    for (const attempt of [refused, refused, answered]) tally.attempt(attempt)
    for (let n = 0; n < 2; n++) tally.attempt({ ...answered, attempt: 2 })
    expect([...tally.report(0).retriesBy]).toEqual([['529', 2]])
  })
})
