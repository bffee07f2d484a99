import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import {
  answerWith,
  collectItems,
  createLibraryClient,
  getRejection,
  overloaded,
} from '../support/library-client.ts'
import { longWait } from '../support/long-wait.ts'

const long = Array.from({ length: 60 }, (_, n) => `word${n}`).join(' ')

describe('client.stream', () => {
  it('yields pieces that join to the complete reply', async () => {
    const { client } = await createLibraryClient({ script: () => answerWith(long, 50) })
    const stream = client.stream('Tell me more.')
    const pieces = await collectItems(stream)
    expect(pieces.length).toBeGreaterThan(3)
    expect(pieces.join('')).toBe(long)
    expect(await stream.result).toMatchObject({ text: long, attempts: 1, model: 'claude-haiku-5-5' })
  })

  it('yields every piece to a slow or late reader', async () => {
    const { client } = await createLibraryClient({ script: () => answerWith(long, 20) })
    const stream = client.stream('Tell me more.')
    await stream.result
    let text = ''
    for await (const piece of stream) {
      await delay(2)
      text += piece
    }
    expect(text).toBe(long)
    expect((await collectItems(stream)).join('')).toBe(long)
  })

  it('cancels the HTTP request if the caller leaves the loop', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith(long, 3000) })
    const stream = client.stream('Tell me more.')
    for await (const _ of stream) break
    await vi.waitUntil(() => simulator.stats().aborted === 1, longWait)
    expect(await getRejection(stream.result)).toMatchObject({ name: 'AbortError' })
  })

  it('cancels the HTTP request if its signal aborts, and throws the reason', async () => {
    const { client, simulator } = await createLibraryClient({ script: () => answerWith(long, 3000) })
    const stop = new AbortController()
    const pieces: string[] = []
    const read = async () => {
      for await (const piece of client.stream('Tell me more.', { signal: stop.signal })) {
        pieces.push(piece)
        stop.abort('enough')
      }
    }
    expect(await getRejection(read())).toBe('enough')
    expect(pieces).toHaveLength(1)
    await vi.waitUntil(() => simulator.stats().aborted === 1, longWait)
  })

  it('retries an error before the first piece', async () => {
    const { client } = await createLibraryClient({
      script: ({ index }) =>
        index === 0 ? { ...overloaded, headers: { 'retry-after-ms': '1' } } : answerWith(long),
    })
    const stream = client.stream('Tell me more.')
    expect((await collectItems(stream)).join('')).toBe(long)
    expect(await stream.result).toMatchObject({ attempts: 2 })
  })

  it('yields the pieces before an error, and then throws with the partial text', async () => {
    const { client, simulator } = await createLibraryClient({
      script: () => ({ kind: 'mid-stream-error', type: 'overloaded_error', delayMs: 5 }),
    })
    const pieces: string[] = []
    const read = async () => {
      for await (const piece of client.stream(
        'The harbour moved nine million tonnes. What is that in words?',
      ))
        pieces.push(piece)
    }
    expect(await getRejection(read())).toMatchObject({
      name: 'ClaudeBatchError',
      type: 'overloaded_error',
      transient: true,
      attempts: 1,
      lostReplies: 1,
      partial: pieces.join(''),
    })
    expect(pieces).not.toEqual([])
    expect(simulator.stats().requests).toBe(1)
  })

  it('throws at its end if the reply was truncated', async () => {
    const { client } = await createLibraryClient({
      script: () => ({ kind: 'answer', delayMs: 1, text: long, stopReason: 'max_tokens' }),
    })
    const stream = client.stream('Tell me more.')
    const error = await getRejection(collectItems(stream))
    expect(error).toMatchObject({ type: 'max_tokens', partial: expect.stringMatching(/^word0 word1 /) })
    expect(await getRejection(stream.result)).toBe(error)
  })

  it('causes no unhandled rejection if the caller does not read it', async () => {
    const { client } = await createLibraryClient({ script: () => ({ kind: 'status', status: 400 }) })
    const lost = vi.fn()
    process.on('unhandledRejection', lost)
    client.stream('Is this right?')
    await delay(300)
    process.off('unhandledRejection', lost)
    expect(lost).not.toHaveBeenCalled()
  })
})
