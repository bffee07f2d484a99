import { describe, expect, it } from 'vitest'
import { createShutdown } from '../../src/engine/shutdown.ts'

describe('a shutdown', () => {
  const [first, second] = [new Error('first'), new Error('second')]

  it('that stops lets what is in flight finish, for the first reason that it was given', () => {
    const halt = createShutdown()
    halt.drain(first)
    halt.drain(second)
    expect([halt.drainSignal.reason, halt.abortSignal.aborted]).toEqual([first, false])
  })

  it('that aborts starts nothing new and cuts off what is in flight', () => {
    const halt = createShutdown()
    halt.abort(first)
    expect([halt.drainSignal.reason, halt.abortSignal.reason]).toEqual([first, first])
  })

  it('that aborts after a drain keeps the reason of the drain', () => {
    const halt = createShutdown()
    halt.drain(first)
    halt.abort(second)
    expect([halt.drainSignal.reason, halt.abortSignal.reason]).toEqual([first, second])
  })
})
