import { describe, expect, it } from 'vitest'
import { AskError, StoppedError } from '../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../src/core/errors/request-error.ts'
import { ExitError } from '../../src/errors.ts'
import { toProblem } from '../../src/serve/http-problem.ts'
import { createStatusError } from '../support/scripted-ask.ts'

describe('toProblem', () => {
  it('returns a 502 for an unreachable API, even if the run was stopped', () => {
    const refused: RequestError = {
      kind: 'connection',
      type: 'connection_error',
      code: 'ECONNREFUSED',
      message: 'connect ECONNREFUSED 10.0.0.1:443',
    }
    const ended = new ExitError('temporaryFailure', 'cannot reach the API', {
      cause: new AskError(refused),
    })
    const problem = toProblem(new StoppedError(ended, []), false)
    expect(problem).toMatchObject({ status: 502, type: 'connection_error' })
    expect(problem.message).not.toContain('10.0.0.1')
  })

  it('returns a 502 for an account error that concerns only this text', () => {
    const fault = createStatusError(403, { type: 'permission_error', isDocumentSpecific: true })
    expect(toProblem(new AskError(fault), false)).toMatchObject({ status: 502, type: 'provider_rejected' })
  })

  it('returns a 413 for a text that the account may not send, and does not mention the account', () => {
    const message = 'Extra usage is required for long context requests.'
    const problem = toProblem(
      new AskError(createStatusError(429, { type: 'rate_limit_error', message })),
      false,
    )
    expect(problem).toMatchObject({
      status: 413,
      message: 'the text is longer than this server may send; split it',
    })
  })
})
