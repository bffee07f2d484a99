import { describe, expect, it } from 'vitest'
import { AskError, StoppedError } from '../../src/core/errors/ask-error.ts'
import type { RequestError } from '../../src/core/errors/request-error.ts'
import { ExitError } from '../../src/errors.ts'
import { toProblem } from '../../src/serve/http-problem.ts'
import { createStatusError } from '../support/scripted-ask.ts'

describe('a problem, as a client of the server sees it', () => {
  it('is a bad gateway where the service cannot be reached, whatever ended the retries', () => {
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

  it('is a bad gateway where only this text is refused with a status of the account', () => {
    const fault = createStatusError(403, { type: 'permission_error', isDocumentSpecific: true })
    expect(toProblem(new AskError(fault), false)).toMatchObject({ status: 502, type: 'provider_rejected' })
  })

  it('is a text that is too long where the account may not send it, and says nothing of the account', () => {
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
