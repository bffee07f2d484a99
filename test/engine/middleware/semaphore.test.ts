import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Ask } from '../../../src/core/request/ask.ts'
import { createSemaphore } from '../../../src/engine/middleware/semaphore.ts'
import { createReply, createRequest } from '../../support/scripted-ask.ts'
import { createVirtualClock } from '../../support/virtual-clock.ts'

const never = new AbortController().signal

/** Requests of one second each, through a semaphore with up to `most()` permits. */
function slotted(most: () => number) {
  const clock = createVirtualClock()
  const began: string[] = []
  let [running, peak] = [0, 0]
  const service: Ask = async ({ path }) => {
    began.push(path)
    peak = Math.max(peak, ++running)
    await clock.sleep(1000)
    running--
    if (path === 'bad') throw new Error('bad')
    return createReply(path)
  }
  const slots = createSemaphore(most)
  const ask = (path: string, signal = never, drain = never) =>
    slots
      .withPermit(service, drain)(createRequest(path), signal)
      .then(
        ({ text }) => text,
        (error: unknown) => error,
      )
  return { clock, began, ask, peak: () => peak }
}

describe('createSemaphore', () => {
  it('never exceeds its limit, and grants permits in order of arrival, also after a failure', async () => {
    const { clock, began, ask, peak } = slotted(() => 2)
    const names = ['a', 'bad', 'c', 'd', 'e']
    await clock.run(Promise.all(names.map((name) => ask(name))))
    expect([began, peak(), clock.now()]).toEqual([names, 2, 3000])
  })

  it('reads the limit again whenever a permit is released', async () => {
    let most = 1
    const { clock, ask, peak } = slotted(() => most)
    const all = ['a', 'b', 'c', 'd'].map((name) => ask(name))
    most = 3
    await clock.run(Promise.all(all))
    expect([peak(), clock.now()]).toEqual([3, 2000])
  })

  it('grants an added permit to a waiting request before a later one', async () => {
    let most = 1
    const { clock, began, ask } = slotted(() => most)
    const first = [ask('a'), ask('b')]
    await turn()
    most = 2
    const all = [...first, ask('c'), ask('d')]
    await clock.run(Promise.all(all))
    expect(began).toEqual(['a', 'b', 'c', 'd'])
  })

  it('grants the permit to the next request if a waiting one is aborted or drained', async () => {
    const { clock, began, ask } = slotted(() => 1)
    const [leave, drain] = [new AbortController(), new AbortController()]
    const all = [ask('a'), ask('b', leave.signal), ask('c', never, drain.signal), ask('d')]
    leave.abort('left')
    drain.abort('over')
    expect(await clock.run(Promise.all(all))).toEqual(['a', 'left', 'over', 'd'])
    expect([began, clock.now()]).toEqual([['a', 'd'], 2000])
  })

  it('grants the permit to others during a wait of its holder, which then queues behind them', async () => {
    const clock = createVirtualClock()
    const slots = createSemaphore(() => 1)
    const began: string[] = []
    const work = (name: string) =>
      slots.runWithPermit(never, never, async () => {
        began.push(name)
        if (name === 'a') {
          await slots.waitWithoutPermit(() => clock.sleep(500), never)
          began.push('a again')
        }
        await clock.sleep(1000)
      })
    await clock.run(Promise.all(['a', 'b', 'c'].map(work)))
    expect([began, clock.now()]).toEqual([['a', 'b', 'c', 'a again'], 3000])
  })

  it('has all permits back if a wait without permit, or the queueing after it, is aborted', async () => {
    const clock = createVirtualClock()
    const slots = createSemaphore(() => 1)
    const leave = new AbortController()
    const waits = (ms: number) =>
      slots
        .runWithPermit(never, never, () =>
          slots.waitWithoutPermit(() => clock.sleep(ms, leave.signal), leave.signal),
        )
        .catch((error: unknown) => error)
    const other = slots.runWithPermit(never, never, () => clock.sleep(2000))
    const leaving = clock.sleep(1000).then(() => leave.abort('left'))
    expect(await clock.run(Promise.all([waits(10), waits(5000), other, leaving]))).toMatchObject([
      expect.anything(),
      expect.anything(),
      undefined,
      undefined,
    ])
    let most = 0
    let running = 0
    const work = () =>
      slots.runWithPermit(never, never, async () => {
        most = Math.max(most, ++running)
        await clock.sleep(10)
        running--
      })
    await clock.run(Promise.all([work(), work(), work()]))
    expect(most).toBe(1)
  })

  it('notifies the pool when a document that waits for a retry makes room for another', () => {
    const slots = createSemaphore(() => 2)
    let calls = 0
    const ignore = slots.onPlaceAdded(() => calls++)
    const settled = slots.addPlace()
    expect([slots.getLimit(), slots.getMaxOpenDocuments(), calls]).toEqual([2, 3, 1])
    settled()
    expect(slots.getMaxOpenDocuments()).toBe(2)
    ignore()
    for (let n = 0; n < 1000; n++) slots.addPlace()
    expect([slots.getMaxOpenDocuments(), calls]).toEqual([2 + 256, 1])
  })
})
