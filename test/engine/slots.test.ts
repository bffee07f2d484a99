import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Ask } from '../../src/core/ask.ts'
import { createSlots } from '../../src/engine/slots.ts'
import { replyOf, requestFor } from '../support/scripted-ask.ts'
import { virtualClock } from '../support/virtual-clock.ts'

const never = new AbortController().signal

/** Requests that take a second each, through so many slots. */
function slotted(most: () => number) {
  const clock = virtualClock()
  const began: string[] = []
  let [running, peak] = [0, 0]
  const service: Ask = async ({ path }) => {
    began.push(path)
    peak = Math.max(peak, ++running)
    await clock.sleep(1000)
    running--
    if (path === 'bad') throw new Error('bad')
    return replyOf(path)
  }
  const slots = createSlots(most)
  const ask = (path: string, signal = never, drain = never) =>
    slots
      .lend(service, drain)(requestFor(path), signal)
      .then(
        ({ text }) => text,
        (error: unknown) => error,
      )
  return { clock, began, ask, peak: () => peak }
}

describe('slots', () => {
  it('are never exceeded, and lent in the order of asking, also after a failure', async () => {
    const { clock, began, ask, peak } = slotted(() => 2)
    const names = ['a', 'bad', 'c', 'd', 'e']
    await clock.run(Promise.all(names.map((name) => ask(name))))
    expect([began, peak(), clock.now()]).toEqual([names, 2, 3000])
  })

  it('are asked for anew whenever one is free', async () => {
    let most = 1
    const { clock, ask, peak } = slotted(() => most)
    const all = ['a', 'b', 'c', 'd'].map((name) => ask(name))
    most = 3
    await clock.run(Promise.all(all))
    expect([peak(), clock.now()]).toEqual([3, 2000])
  })

  it('that are added while a request waits go to that one before a later one', async () => {
    let most = 1
    const { clock, began, ask } = slotted(() => most)
    const first = [ask('a'), ask('b')]
    await turn()
    most = 2
    const all = [...first, ask('c'), ask('d')]
    await clock.run(Promise.all(all))
    expect(began).toEqual(['a', 'b', 'c', 'd'])
  })

  it('go to the next where somebody leaves the line, by either signal', async () => {
    const { clock, began, ask } = slotted(() => 1)
    const [leave, drain] = [new AbortController(), new AbortController()]
    const all = [ask('a'), ask('b', leave.signal), ask('c', never, drain.signal), ask('d')]
    leave.abort('left')
    drain.abort('over')
    expect(await clock.run(Promise.all(all))).toEqual(['a', 'left', 'over', 'd'])
    expect([began, clock.now()]).toEqual([['a', 'd'], 2000])
  })
})
