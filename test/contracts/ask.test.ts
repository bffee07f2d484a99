import { describe, expect, it } from 'vitest'
import { AskError } from '../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../src/core/errors/request-error.ts'
import type { Ask } from '../../src/core/request/ask.ts'
import type { Request } from '../../src/core/request/request.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import { createReply, createRequest, createScriptedAsk, createStatusError } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'

/** A kind of `Ask`, and how to bring it into the situations that every `Ask` must handle alike. */
interface Implementation {
  readonly name: string
  /** Decides between plain replies and streams. */
  readonly maxTokens: number
  make(situation: Situation): Promise<Ask>
}

type Situation =
  | 'answers'
  | 'is cut off'
  | 'refuses'
  | 'is overloaded'
  | 'is rate limited'
  | 'finds the request wrong'
  | 'breaks off'

const faultFor = (situation: Situation): RequestError | undefined => {
  switch (situation) {
    case 'is overloaded':
      return createStatusError(529, { type: 'overloaded_error' })
    case 'is rate limited':
      return createStatusError(429, { type: 'rate_limit_error', retryAfterSeconds: 3 })
    case 'finds the request wrong':
      return createStatusError(400, { type: 'invalid_request_error' })
    case 'breaks off':
      return { kind: 'malformed', type: 'malformed_reply', message: 'broke off' }
    default:
      return undefined
  }
}

const scripted: Implementation = {
  name: 'scripted',
  maxTokens: 1024,
  async make(situation) {
    const fault = faultFor(situation)
    if (fault !== undefined) return createScriptedAsk({ ...fault, requestId: 'req_1' })
    const requestId = 'req_1'
    if (situation === 'is cut off')
      return createScriptedAsk(createReply('The first half', { stopReason: 'max_tokens', requestId }))
    if (situation === 'refuses')
      return createScriptedAsk(createReply('', { stopReason: 'refusal', requestId }))
    return createScriptedAsk(createReply('A summary.', { requestId }))
  },
}

const behaviours: Readonly<Record<Situation, Behaviour>> = {
  answers: { kind: 'answer', delayMs: 5, text: 'A summary.' },
  'is cut off': {
    kind: 'answer',
    delayMs: 5,
    text: 'The first half, the second half',
    stopReason: 'max_tokens',
  },
  refuses: {
    kind: 'answer',
    delayMs: 5,
    text: '',
    stopReason: 'refusal',
    stopDetails: { type: 'refusal', category: 'bio' },
  },
  'is overloaded': { kind: 'status', status: 529 },
  'is rate limited': { kind: 'status', status: 429, headers: { 'retry-after': '3' } },
  'finds the request wrong': { kind: 'status', status: 400 },
  'breaks off': { kind: 'truncate', delayMs: 5 },
}

const overHttp = (name: string, maxTokens: number): Implementation => ({
  name,
  maxTokens,
  make: async (situation) =>
    (await createSimulatedClient({ script: () => behaviours[situation] })).client.ask,
})

describe.each([
  scripted,
  overHttp('the SDK with plain replies', 1024),
  overHttp('the SDK with streams', 8192),
])('an Ask, $name', ({ make, maxTokens }) => {
  const request: Request = createRequest('a.md', { maxTokens })
  const signal = new AbortController().signal
  const failure = async (ask: Ask): Promise<AskError> => {
    const error = await ask(request, signal).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(AskError)
    return error as AskError
  }

  it('resolves with text, stop reason, model, usage and request id', async () => {
    const reply = await (await make('answers'))(request, signal)
    expect(reply).toMatchObject({ text: 'A summary.', stopReason: 'end_turn', model: 'claude-haiku-5-5' })
    expect(reply.usage?.input_tokens).toBeGreaterThan(0)
    expect(reply.usage?.output_tokens).toBeGreaterThan(0)
    expect(reply.requestId).toMatch(/^req_/)
  })

  it.each([
    ['is cut off', 'max_tokens'],
    ['refuses', 'refusal'],
  ] as const)(
    'resolves with the stop reason when the model %s, and leaves the decision to the caller',
    async (situation, stopReason) => {
      expect(await (await make(situation))(request, signal)).toMatchObject({ stopReason })
    },
  )

  it.each([
    ['is overloaded', { kind: 'status', status: 529, type: 'overloaded_error' }],
    ['is rate limited', { kind: 'status', status: 429, type: 'rate_limit_error', retryAfterSeconds: 3 }],
    ['finds the request wrong', { kind: 'status', status: 400, type: 'invalid_request_error' }],
  ] as const)('rejects with the details of the error when the API %s', async (situation, fault) => {
    expect((await failure(await make(situation))).requestError).toMatchObject(fault)
  })

  it('rejects when the reply breaks off, instead of passing on half of it', async () => {
    const { requestError } = await failure(await make('breaks off'))
    expect(['malformed', 'connection']).toContain(requestError.kind)
  })

  it('rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough')
    await expect((await make('answers'))(request, AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})
