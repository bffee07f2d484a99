import { describe, expect, it } from 'vitest'
import type { RequestError } from '../../../src/core/errors/request-error.ts'
import {
  type AccountErrorContext,
  resolveAccountError,
} from '../../../src/core/errors/resolve-account-error.ts'
import { createStatusError } from '../../support/scripted-ask.ts'

const page = { host: 'api.example', contentType: 'text/html' }
const own = createStatusError(403, { type: 'permission_error' })
const foreign = createStatusError(403, { type: 'http_403', nonApiResponse: page })
const redirect = createStatusError(302, { type: 'http_302', nonApiResponse: page })
const inStream: RequestError = { kind: 'stream', type: 'permission_error', message: '' }
const certificate: RequestError = { kind: 'tls', type: 'tls_error', message: '' }
const first: Omit<AccountErrorContext, 'requestError'> = {
  isSecondTry: false,
  refusedDocuments: 1,
  hasAnswers: false,
  isUnrefusedInFlight: false,
  isUndecidedInFlight: false,
}

describe('resolveAccountError: a refusal', () => {
  it.each<[string, RequestError, Partial<AccountErrorContext>, ReturnType<typeof resolveAccountError>]>([
    ['by the API before any reply ends the run', own, {}, 'account'],
    [
      'by the API before any reply is retried while other requests are in flight',
      own,
      { isUnrefusedInFlight: true },
      'retry_later',
    ],
    [
      'by the API of three documents before any reply ends the run',
      own,
      { refusedDocuments: 3, isUnrefusedInFlight: true },
      'account',
    ],
    [
      'by the API before any reply ends the run on the second try',
      own,
      { isSecondTry: true, isUnrefusedInFlight: true },
      'account',
    ],
    ['by a page before any reply is retried', foreign, {}, 'retry_later'],
    ['by a page on the second try fails its document', foreign, { isSecondTry: true }, 'document'],
    ['by a page of the fifth document in a row ends the run', foreign, { refusedDocuments: 5 }, 'account'],
    [
      'by a page of the fifth document is retried while an earlier request is in flight',
      foreign,
      { refusedDocuments: 5, isUndecidedInFlight: true },
      'retry_later',
    ],
    ['by a redirect is retried', redirect, {}, 'retry_later'],
    [
      'by a page with status 402 is retried',
      createStatusError(402, { nonApiResponse: page }),
      {},
      'retry_later',
    ],
    ['by the API after a reply is retried', own, { hasAnswers: true }, 'retry_later'],
    [
      'by the API after a reply fails its document on the second try',
      own,
      { hasAnswers: true, isSecondTry: true },
      'document',
    ],
    [
      'by the API of five documents in a row ends the run',
      own,
      { hasAnswers: true, isSecondTry: true, refusedDocuments: 5 },
      'account',
    ],
    ['inside a stream is handled like any other', inStream, { hasAnswers: true }, 'retry_later'],
    [
      'because of billing ends the run',
      createStatusError(402, { type: 'billing_error' }),
      { hasAnswers: true },
      'account',
    ],
    [
      'with an error code that concerns the account ends the run',
      createStatusError(403, { code: 'organization_on_hold' }),
      { hasAnswers: true },
      'account',
    ],
    ['because of a certificate ends the run', certificate, { hasAnswers: true }, 'account'],
  ])('%s', (_, requestError, seen, decision) => {
    expect(resolveAccountError({ ...first, requestError, ...seen })).toBe(decision)
  })
})
