import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import { createGate } from '../../support/manual-response.ts'
import { createReply, createStatusError } from '../../support/scripted-ask.ts'
import { createTestPipeline } from '../../support/test-pipeline.ts'

/** Answers the first request with 429, never answers the second (the probe), and answers all others. */
function serviceWithSilentProbe() {
  const sent: string[] = []
  const probing = createGate()
  const ask: Ask = async ({ path }, signal) => {
    sent.push(path)
    if (sent.length === 1) throw new AskError(createStatusError(429, { retryAfterSeconds: 1 }))
    if (sent.length > 2) return createReply(`summary of ${path}`)
    probing.open()
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  }
  return { ask, sent, probing: probing.opened }
}

describe('the circuit breaker after a pause', () => {
  it('holds requests back during one probe, and sends them if the caller of the probe aborts', async () => {
    const { ask, sent, probing } = serviceWithSilentProbe()
    const stacked = createTestPipeline(ask)
    const caller = new AbortController()
    const first = stacked.ask('a.md', { signal: caller.signal })
    first.catch(() => {})
    await stacked.clock.run(probing)
    // The pause is up to 10 % longer than requested, so that many clients do not return at the same instant.
    expect(stacked.pausesMs).toEqual([1100])
    const others = ['b.md', 'c.md'].map((path) => stacked.ask(path))
    for (let turns = 0; turns < 20; turns++) await turn()
    expect(sent).toEqual(['a.md', 'a.md'])

    const reason = new Error('the caller left')
    caller.abort(reason)
    await expect(first).rejects.toMatchObject({ cause: reason })
    const replies = await stacked.clock.run(Promise.all(others))
    expect(replies.map(({ text }) => text)).toEqual(['summary of b.md', 'summary of c.md'])
  })
})
