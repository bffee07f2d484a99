import { describe, expect, it } from 'vitest'
import { AskError } from '../../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../../src/core/errors/request-error.ts'
import { retryUntilSuccess } from '../../../src/engine/batch/retry-until-success.ts'
import { createStatusError } from '../../support/scripted-ask.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

/** A function that throws the given errors, one per call, and then succeeds. */
function failing(...faults: readonly RequestError[]) {
  let calls = 0
  const work = async () => {
    const fault = faults[calls++]
    if (fault !== undefined) throw new AskError(fault)
    return 'done'
  }
  return { work, calls: () => calls }
}

const never = new AbortController().signal

describe('retryUntilSuccess', () => {
  const down = createStatusError(503)

  it.each([
    [2, 2, 3],
    [3, 2, 3],
    [3, 0, 1],
  ])('for %i failures and %i retries calls the function %i times', async (failures, retries, calls) => {
    const clock = createVirtualClock()
    const it = failing(...Array<RequestError>(failures).fill(down))
    const working = clock.run(
      retryUntilSuccess(it.work, { clock, random: () => 1, drainSignal: never, retries }),
    )
    if (failures <= retries) await expect(working).resolves.toBe('done')
    else await expect(working).rejects.toMatchObject({ requestError: down })
    expect(it.calls()).toBe(calls)
  })

  it('waits for the time in retry-after, or else doubles its wait after each failure', async () => {
    const clock = createVirtualClock()
    const waits: number[] = []
    const it = failing(down, down, createStatusError(503, { retryAfterSeconds: 7 }))
    const onRetry = (_: AskError, waitMs: number) => void waits.push(waitMs)
    await clock.run(retryUntilSuccess(it.work, { clock, random: () => 1, drainSignal: never, onRetry }))
    expect(waits).toEqual([1000, 2000, 7000])
    expect(clock.now()).toBe(10_000)
  })

  it('does not retry an error that is not transient', async () => {
    const clock = createVirtualClock()
    const it = failing(createStatusError(400))
    const working = clock.run(retryUntilSuccess(it.work, { clock, random: () => 1, drainSignal: never }))
    await expect(working).rejects.toMatchObject({ requestError: { status: 400 } })
    expect(it.calls()).toBe(1)
  })

  it('rejects with the reason of a drain, even during a wait', async () => {
    const clock = createVirtualClock()
    const stop = new AbortController()
    const reason = new Error('told to stop')
    const it = failing(down)
    const onRetry = () => stop.abort(reason)
    const working = clock.run(
      retryUntilSuccess(it.work, { clock, random: () => 1, drainSignal: stop.signal, onRetry }),
    )
    await expect(working).rejects.toBe(reason)
    expect(it.calls()).toBe(1)
  })
})
