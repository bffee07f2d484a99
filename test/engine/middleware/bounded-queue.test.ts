import { describe, expect, it } from 'vitest'
import type { Ask } from '../../../src/core/request/ask.ts'
import { createBoundedQueue, QueueFullError } from '../../../src/engine/middleware/bounded-queue.ts'
import { createSemaphore } from '../../../src/engine/middleware/semaphore.ts'
import { createReply, createRequest } from '../../support/scripted-ask.ts'

const never = new AbortController().signal

/** A queue around requests that the test ends one by one with `open`, by path. */
function desk(slots: number, maxWaiting: number) {
  const open = new Map<string, (error?: Error) => void>()
  const ask: Ask = (request) =>
    new Promise((resolve, reject) => {
      open.set(request.path, (error) => (error ? reject(error) : resolve(createReply(request.path))))
    })
  const drain = new AbortController()
  const queue = createBoundedQueue(ask, {
    semaphore: createSemaphore(() => slots),
    maxWaiting,
    drainSignal: drain.signal,
  })
  return { open, drain, queue, ask: (path: string, signal = never) => queue.ask(createRequest(path), signal) }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('createBoundedQueue', () => {
  it('admits one request per permit, in order, and the next whenever one succeeds or fails', async () => {
    const { open, queue, ask } = desk(2, 10)
    const all = ['a', 'b', 'c', 'd'].map((path) => ask(path).catch((error: Error) => error))
    await turn()
    expect([[...open.keys()], queue.countWaiting()]).toEqual([['a', 'b'], 2])
    open.get('b')?.(new Error('broke'))
    await turn()
    expect([[...open.keys()], queue.countWaiting()]).toEqual([['a', 'b', 'c'], 1])
    for (const path of ['a', 'c']) open.get(path)?.()
    await turn()
    open.get('d')?.()
    expect(await Promise.all(all)).toMatchObject([{ text: 'a' }, { message: 'broke' }, {}, { text: 'd' }])
  })

  it('rejects a request immediately while the queue is full, and accepts requests again later', async () => {
    const { open, ask } = desk(1, 1)
    const [first] = [ask('a'), ask('b').catch(() => {})]
    await expect(ask('c')).rejects.toBeInstanceOf(QueueFullError)
    await turn()
    await expect(ask('c')).rejects.toBeInstanceOf(QueueFullError)
    open.get('a')?.()
    await first
    await turn()
    const third = ask('c')
    open.get('b')?.()
    await turn()
    open.get('c')?.()
    expect((await third).text).toBe('c')
  })

  it('sends no request for a caller that left the queue', async () => {
    const { open, queue, ask } = desk(1, 5)
    const leave = new AbortController()
    const [first, second] = [ask('a'), ask('b', leave.signal)]
    await turn()
    leave.abort(new Error('gone'))
    await expect(second).rejects.toThrow('gone')
    expect(queue.countWaiting()).toBe(0)
    open.get('a')?.()
    await first
    await turn()
    expect([...open.keys()]).toEqual(['a'])
    await expect(ask('c', leave.signal)).rejects.toThrow('gone')
  })

  it('rejects waiting and new requests during a drain, and lets those in flight finish', async () => {
    const { open, drain, ask } = desk(1, 5)
    const [first, second] = [ask('a'), ask('b')]
    await turn()
    drain.abort(new Error('stopping'))
    await expect(second).rejects.toThrow('stopping')
    await expect(ask('c')).rejects.toThrow('stopping')
    open.get('a')?.()
    expect((await first).text).toBe('a')
  })
})
