import { describe, expect, it } from 'vitest'
import type { Ask, OnText } from '../../src/core/request/ask.ts'
import { type AnswerStreamOptions, answerStream } from '../../src/serve/answer-stream.ts'
import { createMetrics } from '../../src/serve/metrics.ts'
import { realClock } from '../support/real-clock.ts'
import { createReply, createRequest } from '../support/scripted-ask.ts'
import { readAllEvents, readEvents } from '../support/start-serve.ts'

const never = new AbortController().signal
const question = JSON.stringify({ prompt: 'What floats?' })

const asked = (ask: Ask, options: Partial<AnswerStreamOptions> = {}) => {
  const metrics = createMetrics(realClock.now, () => 0)
  const failed: unknown[] = []
  const answered = answerStream(question, never, {
    ask,
    buildRequest: async () => createRequest('stream/1'),
    metrics,
    clock: realClock,
    drainSignal: never,
    abort: never,
    heartbeatMs: 60_000,
    onError: (error) => failed.push(error),
    ...options,
  })
  return { answered, metrics, failed }
}
const streamOf = (answered: Awaited<ReturnType<typeof answerStream>>) => {
  if ('status' in answered) return expect.fail(`a problem: ${answered.message}`)
  return new Response(answered)
}

describe('an answer', () => {
  it('sends heartbeats while there is no text, even before the first word', async () => {
    let watch: OnText | undefined
    let end = () => {}
    const ask: Ask = (_request, _signal, own) =>
      new Promise((resolve) => {
        watch = own
        end = () => resolve(createReply('Boats'))
      })
    const { answered } = asked(ask, { heartbeatMs: 10 })
    const events = readEvents(streamOf(await answered))
    expect((await events.next()).value).toEqual({ beat: expect.stringMatching(/^: /) })
    expect((await events.next()).value).toHaveProperty('beat')
    watch?.('Boats')
    end()
    const rest: unknown[] = []
    for await (const event of events) if (!('beat' in event)) rest.push(event)
    expect(rest).toEqual([{ text: 'Boats' }, { done: true, usage: { input: 100, output: 20 } }])
  })

  it('that fails after a heartbeat ends with an error event', async () => {
    let fail = () => {}
    const ask: Ask = () =>
      new Promise((_resolve, reject) => {
        fail = () => reject(new Error('a bug'))
      })
    const { answered, failed } = asked(ask, { heartbeatMs: 10 })
    const stream = streamOf(await answered)
    fail()
    const events = (await readAllEvents(stream)).filter((event) => !('beat' in event))
    expect(events).toEqual([
      { error: { type: 'internal_error', message: expect.not.stringContaining('bug') } },
    ])
    expect(failed).toEqual([expect.objectContaining({ message: 'a bug' })])
  })

  it.each([
    ['cut off', { stopReason: 'max_tokens', text: 'Boats and' }, 'max_tokens'],
    ['declined', { stopReason: 'refusal', text: '' }, 'refusal'],
    ['empty', { text: '' }, 'empty'],
  ])('that is %s is reported as an error', async (_, reply, type) => {
    const ask: Ask = async (_request, _signal, watch) => {
      if (reply.text !== '') watch?.(reply.text)
      return createReply(reply.text, reply)
    }
    const answered = await asked(ask).answered
    if (reply.text === '') expect(answered).toMatchObject({ status: 422, type })
    else
      expect(await readAllEvents(streamOf(answered))).toEqual([
        { text: 'Boats and' },
        { error: { type, message: expect.any(String) } },
      ])
  })

  it('without usage from the API ends with a usage of null', async () => {
    const ask: Ask = async (_request, _signal, watch) => {
      watch?.('Boats')
      const { usage: _, ...uncounted } = createReply('Boats')
      return uncounted
    }
    const events = await readAllEvents(streamOf(await asked(ask).answered))
    expect(events.at(-1)).toEqual({ done: true, usage: null })
  })
})
