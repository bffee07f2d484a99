import { describe, expect, it } from 'vitest'
import { openPlatformClient, type Platform } from '../../src/claude/platforms/open-platform-client.ts'
import { AskError } from '../../src/core/errors/ask-error.ts'
import { classifyError } from '../../src/core/errors/classify-error.ts'
import type { RequestError } from '../../src/core/errors/request-error.ts'
import type { Ask } from '../../src/core/request/ask.ts'
import { createModelIds } from '../../src/core/request/provider-model-id.ts'
import type { Request } from '../../src/core/request/request.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import { startPlatform } from '../support/platform-server.ts'
import { createReply, createRequest, createScriptedAsk, createStatusError } from '../support/scripted-ask.ts'
import { createSimulatedClient } from '../support/simulated-client.ts'

/** A kind of `Ask`, and how to bring it into the situations that every `Ask` must handle alike. */
interface Implementation {
  readonly name: string
  /** Decides between plain replies and streams. */
  readonly maxTokens: number
  make(situation: Situation): Promise<Ask>
  /** Fields of the errors that differ from those of Anthropic's API. */
  readonly errors?: Partial<Record<Situation, object>>
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

/** The official client of a platform, in front of a server that speaks its dialect. */
const overPlatform = (platform: Platform, maxTokens: number): Implementation => ({
  name: `${platform} with ${maxTokens > 2048 ? 'streams' : 'plain replies'}`,
  maxTokens,
  async make(situation) {
    const { env } = await startPlatform(platform, { script: () => behaviours[situation] })
    const modelIds = createModelIds(platform)
    const openSdkClient = openPlatformClient(platform)
    return (await createSimulatedClient({}, { env, openSdkClient, modelIds })).client.ask
  },
  ...(platformErrors[platform] && { errors: platformErrors[platform] }),
})

const platformErrors: Partial<Record<Platform, Implementation['errors']>> = {
  bedrock: {
    'is overloaded': { status: 503, type: 'ServiceUnavailableException' },
    'is rate limited': { type: 'ThrottlingException' },
    'finds the request wrong': { type: 'ValidationException' },
  },
  vertex: {
    // Google's own errors have no id.
    'is overloaded': { status: 503, type: 'UNAVAILABLE', requestId: undefined },
    'is rate limited': { type: 'RESOURCE_EXHAUSTED', requestId: undefined },
  },
}

const platforms = ['bedrock', 'vertex', 'foundry', 'aws'] as const

describe.each([
  scripted,
  overHttp('the SDK with plain replies', 1024),
  overHttp('the SDK with streams', 8192),
  ...platforms.flatMap((platform) => [overPlatform(platform, 1024), overPlatform(platform, 8192)]),
])('an Ask, $name', ({ make, maxTokens, errors = {} }) => {
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
    ['is overloaded', 'transient', { kind: 'status', status: 529, type: 'overloaded_error' }],
    [
      'is rate limited',
      'rate_limited',
      { kind: 'status', status: 429, type: 'rate_limit_error', retryAfterSeconds: 3 },
    ],
    ['finds the request wrong', 'document', { kind: 'status', status: 400, type: 'invalid_request_error' }],
  ] as const)(
    'rejects with the details of the error when the API %s, which is %s',
    async (situation, errorClass, details) => {
      const { requestError } = await failure(await make(situation))
      const requestId = expect.stringMatching(/^req_/)
      expect({ requestId: undefined, ...requestError }).toMatchObject({
        requestId,
        ...details,
        ...errors[situation],
      })
      expect(requestError.nonApiResponse).toBeUndefined()
      expect(classifyError(requestError)).toBe(errorClass)
    },
  )

  it('rejects when the reply breaks off, instead of passing on half of it', async () => {
    const { requestError } = await failure(await make('breaks off'))
    expect(['malformed', 'connection']).toContain(requestError.kind)
  })

  it('rejects with the reason of an aborted signal', async () => {
    const reason = new Error('enough')
    await expect((await make('answers'))(request, AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})
