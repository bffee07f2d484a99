import { describe, expect, it } from 'vitest'
import { createShutdown } from '../../src/engine/shutdown.ts'

describe('createShutdown', () => {
  const [first, second] = [new Error('first'), new Error('second')]

  it('lets requests in flight finish during a drain, and keeps the first reason', () => {
    const halt = createShutdown()
    halt.drain(first)
    halt.drain(second)
    expect([halt.drainSignal.reason, halt.abortSignal.aborted]).toEqual([first, false])
  })

  it('aborts both signals on an abort', () => {
    const halt = createShutdown()
    halt.abort(first)
    expect([halt.drainSignal.reason, halt.abortSignal.reason]).toEqual([first, first])
  })

  it('keeps the reason of a drain if an abort follows', () => {
    const halt = createShutdown()
    halt.drain(first)
    halt.abort(second)
    expect([halt.drainSignal.reason, halt.abortSignal.reason]).toEqual([first, second])
  })
})
