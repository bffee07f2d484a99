import { describe, expect, it } from 'vitest'
import { decideRefusal, type Refusal } from '../../../src/core/errors/refusal.ts'
import type { Fault } from '../../../src/core/errors/request-error.ts'
import { statusFault } from '../../support/scripted-ask.ts'

const page = { host: 'api.example', contentType: 'text/html' }
const own = statusFault(403, { type: 'permission_error' })
const foreign = statusFault(403, { type: 'http_403', page })
const redirect = statusFault(302, { type: 'http_302', page })
const inStream: Fault = { kind: 'stream', type: 'permission_error', message: '' }
const certificate: Fault = { kind: 'tls', type: 'tls_error', message: '' }
const first = {
  isSecondTry: false,
  documents: 1,
  hasAnswers: false,
  isOtherInFlight: false,
  isUndecidedInFlight: false,
}

describe('a refusal', () => {
  it.each<[string, Fault, Partial<Refusal>, ReturnType<typeof decideRefusal>]>([
    ['by the API before any answer ends the run', own, {}, 'run'],
    [
      'by the API before any answer is tried again while others are in flight',
      own,
      { isOtherInFlight: true },
      'later',
    ],
    [
      'by the API of three documents before any answer ends the run',
      own,
      { documents: 3, isOtherInFlight: true },
      'run',
    ],
    [
      'by the API before any answer ends the run on the second try',
      own,
      { isSecondTry: true, isOtherInFlight: true },
      'run',
    ],
    ['by a page before any answer is tried again', foreign, {}, 'later'],
    ['by a page on the second try fails its document', foreign, { isSecondTry: true }, 'document'],
    ['by a page of the fifth document in a row ends the run', foreign, { documents: 5 }, 'run'],
    [
      'by a page of the fifth document is tried again while a request sent before it is in flight',
      foreign,
      { documents: 5, isUndecidedInFlight: true },
      'later',
    ],
    ['by a redirect is tried again', redirect, {}, 'later'],
    ['by a page with status 402 is tried again', statusFault(402, { page }), {}, 'later'],
    ['by the API after an answer is tried again', own, { hasAnswers: true }, 'later'],
    [
      'by the API after an answer, on the second try, fails its document',
      own,
      { hasAnswers: true, isSecondTry: true },
      'document',
    ],
    [
      'by the API of five documents in a row ends the run',
      own,
      { hasAnswers: true, isSecondTry: true, documents: 5 },
      'run',
    ],
    ['inside a stream is judged like any other', inStream, { hasAnswers: true }, 'later'],
    ['for the bill ends the run', statusFault(402, { type: 'billing_error' }), { hasAnswers: true }, 'run'],
    [
      'with an error code of the account ends the run',
      statusFault(403, { code: 'organization_on_hold' }),
      { hasAnswers: true },
      'run',
    ],
    ['of a certificate ends the run', certificate, { hasAnswers: true }, 'run'],
  ])('%s', (_, fault, seen, decision) => {
    expect(decideRefusal({ ...first, fault, ...seen })).toBe(decision)
  })
})
