import { AskError } from '../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../src/core/errors/request-error.ts'
import type { Usage } from '../../src/core/pricing/usage.ts'
import type { Ask } from '../../src/core/request/ask.ts'
import type { Reply } from '../../src/core/request/reply.ts'
import type { Request } from '../../src/core/request/request.ts'

const someUsage: Usage = {
  input_tokens: 100,
  cache_creation_5m_input_tokens: 0,
  cache_creation_1h_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 20,
}

export function createReply(text: string, fields: Partial<Reply> = {}): Reply {
  return {
    text,
    stopReason: 'end_turn',
    model: 'claude-haiku-5-5',
    usage: someUsage,
    attempts: [],
    ...fields,
  }
}

export function createRequest(path: string, fields: Partial<Request> = {}): Request {
  return {
    path,
    attemptNumber: 1,
    model: 'claude-haiku-5-5',
    user: `Summarize ${path}`,
    hash: `key of ${path}`,
    maxTokens: 1024,
    ...fields,
  }
}

/** Creates the request error that the client makes of a response with this status. */
export function createStatusError(status: number, fields: Partial<RequestError> = {}): RequestError {
  return { kind: 'status', status, type: `type_${status}`, message: `message of ${status}`, ...fields }
}

type Step = Reply | RequestError | 'ok'

export interface ScriptedAsk extends Ask {
  readonly requests: readonly Request[]
}

/** Creates an `Ask` that follows the script and repeats its last step: returns replies and throws errors. */
export function createScriptedAsk(...script: readonly Step[]): ScriptedAsk {
  const requests: Request[] = []
  const ask: Ask = async (request, signal) => {
    signal.throwIfAborted()
    requests.push(request)
    const step = script[Math.min(requests.length, script.length) - 1] ?? 'ok'
    if (step === 'ok') return createReply(`summary of ${request.path}`)
    if ('text' in step) return step
    throw new AskError(step)
  }
  return Object.assign(ask, { requests })
}
