import { describe, expect, it } from 'vitest'
import { StoppedError } from '../../../src/core/errors/ask-error.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import type { Attempt } from '../../../src/core/request/attempt.ts'
import { type AttemptListener, withAttemptLog } from '../../../src/engine/middleware/with-attempt-log.ts'
import { createRequest } from '../../support/scripted-ask.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

/** A request that fails with `error` after a second, because of an abort if `stop` is given. */
function failing(error: unknown, stop?: AbortController) {
  const clock = createVirtualClock()
  const told: Attempt[] = []
  const ask: Ask = async () => {
    await clock.sleep(1000)
    stop?.abort(error)
    throw error
  }
  const listener: AttemptListener = { onSend() {}, onEnd: (attempt) => void told.push(attempt) }
  const signal = stop?.signal ?? new AbortController().signal
  return { told, failed: clock.run(withAttemptLog(ask, clock, listener)(createRequest('a.md'), signal)) }
}

describe('withAttemptLog', () => {
  it('throws a StoppedError with an aborted attempt, which may be billed', async () => {
    const reason = new Error('told to stop')
    const { told, failed } = failing(reason, new AbortController())
    await expect(failed).rejects.toThrow(StoppedError)
    await expect(failed).rejects.toMatchObject({
      cause: reason,
      attempts: [{ path: 'a.md', elapsedMs: 1000, error: { kind: 'connection', type: 'abandoned' } }],
    })
    expect(told).toHaveLength(1)
  })

  it('rethrows an unexpected error unchanged', async () => {
    const bug = new TypeError('a bug')
    const { told, failed } = failing(bug)
    await expect(failed).rejects.toBe(bug)
    expect(told).toHaveLength(1)
  })
})
