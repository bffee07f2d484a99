import { describe, expect, it } from 'vitest'
import { createHalt } from '../../src/engine/shutdown.ts'

describe('a halt', () => {
  const [first, second] = [new Error('first'), new Error('second')]

  it('that stops lets what is in flight finish, for the first reason that it was given', () => {
    const halt = createHalt()
    halt.stop(first)
    halt.stop(second)
    expect([halt.drain.reason, halt.abort.aborted]).toEqual([first, false])
  })

  it('that abandons starts nothing new and cuts what is in flight', () => {
    const halt = createHalt()
    halt.abandon(first)
    expect([halt.drain.reason, halt.abort.reason]).toEqual([first, first])
  })

  it('that abandons after it stopped keeps the reason of the stop', () => {
    const halt = createHalt()
    halt.stop(first)
    halt.abandon(second)
    expect([halt.drain.reason, halt.abort.reason]).toEqual([first, second])
  })
})
