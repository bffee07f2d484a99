import { describe, expect, it } from 'vitest'
import type { ChunkCache } from '../../../src/core/chunking/chunk-cache.ts'
import { AskError, StoppedError } from '../../../src/core/errors/ask-error.ts'
import type { Ask } from '../../../src/core/request/ask.ts'
import type { Attempt } from '../../../src/core/request/attempt.ts'
import { createSemaphore } from '../../../src/engine/middleware/semaphore.ts'
import { withCache } from '../../../src/engine/middleware/with-cache.ts'
import { createShutdown } from '../../../src/engine/shutdown.ts'
import { ExitError } from '../../../src/errors.ts'
import { createReply, createRequest, createStatusError } from '../../support/scripted-ask.ts'

const { abortSignal: never } = createShutdown()
const attempt: Attempt = { path: 'a.md', attemptNumber: 1, startedAt: 0, elapsedMs: 1, model: 'm' }

function memory(): Pick<ChunkCache, 'get' | 'save' | 'saveCost'> & { readonly costs: Attempt[] } {
  const known = new Map<string, { text: string; model: string }>()
  const costs: Attempt[] = []
  return {
    costs,
    async saveCost(_, { attempts }) {
      costs.push(...attempts)
    },
    get: async ({ hash: key }) => known.get(key),
    async save({ hash: key }, { text, model }) {
      known.set(key, { text, model })
    },
  }
}

/** An `Ask` that answers after `go` is called. */
function heldBack(answer: () => ReturnType<Ask> = async () => createReply('notes', { attempts: [attempt] })) {
  let go = () => {}
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  let asked = 0
  const ask: Ask = async () => {
    asked++
    await gone
    return answer()
  }
  return { ask, go, asked: () => asked }
}

const chunk = (path: string) => createRequest(path, { hash: 'the same chunk' })

describe('withCache', () => {
  it('sends a request that several documents wait for once, and counts its cost for the sender', async () => {
    const { ask, go, asked } = heldBack()
    const cached = withCache(ask, memory())
    const replies = ['a.md', 'b.md', 'c.md'].map((path) => cached(chunk(path), never))
    go()
    expect((await Promise.all(replies)).map(({ text, attempts }) => [text, attempts.length])).toEqual([
      ['notes', 1],
      ['notes', 0],
      ['notes', 0],
    ])
    expect(await cached(chunk('d.md'), never)).toMatchObject({ text: 'notes', attempts: [] })
    expect(asked()).toBe(1)
  })

  it.each([
    ['an error', async () => Promise.reject(new AskError(createStatusError(400), [attempt]))],
    ['a stop', async () => Promise.reject(new StoppedError(new Error('stopped'), [attempt]))],
  ])('passes %s to all waiting documents, with the attempts only for the sender', async (_, answer) => {
    const { ask, go } = heldBack(answer)
    const cached = withCache(ask, memory())
    const replies = ['a.md', 'b.md'].map((path) =>
      cached(chunk(path), never).catch((error: { attempts?: readonly Attempt[] }) => error.attempts ?? []),
    )
    go()
    expect(await Promise.all(replies)).toEqual([[attempt], []])
  })

  it('saves the cost of an incomplete reply before the document gets the reply', async () => {
    const store = memory()
    const ask: Ask = async () => createReply('', { stopReason: 'refusal', attempts: [attempt] })
    await withCache(ask, store)(chunk('a.md'), never)
    expect(store.costs).toEqual([attempt])
  })

  it('does not cache an incomplete reply, but passes it to the waiting documents', async () => {
    const { ask, go, asked } = heldBack(async () =>
      createReply('', { stopReason: 'refusal', attempts: [attempt] }),
    )
    const cached = withCache(ask, memory())
    const replies = ['a.md', 'b.md'].map((path) => cached(chunk(path), never))
    go()
    expect((await Promise.all(replies)).map(({ stopReason }) => stopReason)).toEqual(['refusal', 'refusal'])
    await cached(chunk('c.md'), never)
    expect(asked()).toBe(2)
  })

  it('reports the attempts of a reply that cannot be saved', async () => {
    const { ask, go } = heldBack()
    const full = new ExitError('ioError', 'no space left on the device')
    const cached = withCache(ask, { ...memory(), save: () => Promise.reject(full) })
    const reply = cached(chunk('a.md'), never)
    go()
    await expect(reply).rejects.toMatchObject({ cause: full, attempts: [attempt] })
  })

  it('holds no permits for documents that wait for the request of another', async () => {
    const { ask, go, asked } = heldBack()
    const slots = createSemaphore(() => 2)
    const cached = withCache(ask, memory(), (ask) => slots.withPermit(ask, never))
    const replies = ['a.md', 'b.md', 'c.md'].map((path) => cached(chunk(path), never))
    const other = cached(createRequest('d.md'), never)
    while (asked() < 2) await new Promise((resolve) => setImmediate(resolve))
    go()
    await Promise.all([...replies, other])
    expect(asked()).toBe(2)
  })
})
