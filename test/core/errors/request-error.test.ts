import { describe, expect, it } from 'vitest'
import { classifyError, isRetryable } from '../../../src/core/errors/classify-error.ts'
import type { ErrorClass } from '../../../src/core/errors/error-class.ts'
import { toFailure } from '../../../src/core/errors/failure.ts'
import { isUnreachable, mayBeBilled, type RequestError } from '../../../src/core/errors/request-error.ts'
import { createStatusError } from '../../support/scripted-ask.ts'

/** The error class, and whether the request is retried. */
type Expected = readonly [ErrorClass, boolean]
const again: Expected = ['transient', true]
const limited: Expected = ['rate_limited', true]
const ends: Expected = ['account', false]
const forDocument: Expected = ['document', false]
const stream = (type: string): RequestError => ({ kind: 'stream', type, message: '' })

const extraUsage = createStatusError(429, {
  type: 'rate_limit_error',
  message: 'Extra usage is required for long context requests.',
})

/** One row for each documented API error, and for errors without a response of the API. */
const rows: [string, RequestError, Expected][] = [
  // By HTTP status
  [
    '400 invalid_request_error',
    createStatusError(400, { type: 'invalid_request_error', message: 'max_tokens: Field required' }),
    forDocument,
  ],
  [
    '400 prompt is too long',
    createStatusError(400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }),
    forDocument,
  ],
  [
    '400 self-set spend limit',
    createStatusError(400, {
      message: 'You have reached your specified API usage limits. You will regain access on 2026-12-01.',
    }),
    ends,
  ],
  [
    '400 credit exhausted',
    createStatusError(400, { message: 'Your credit balance is too low to access the Anthropic API.' }),
    ends,
  ],
  ['401 authentication_error', createStatusError(401), ends],
  ['402 billing_error', createStatusError(402), ends],
  ['403 permission_error', createStatusError(403), ends],
  ['404 not_found_error', createStatusError(404), ends],
  ['408', createStatusError(408), again],
  ['409 conflict_error', createStatusError(409), again],
  ['413 request_too_large', createStatusError(413), forDocument],
  ['413 as an HTML page of the edge', createStatusError(413, { type: 'http_413' }), forDocument],
  ['422', createStatusError(422), forDocument],
  ['418', createStatusError(418), forDocument],
  ['451', createStatusError(451), forDocument],
  ['429 rate_limit_error', createStatusError(429), limited],
  ['429 about the length of one prompt', extraUsage, forDocument],
  [
    '429 about the length of one prompt + x-should-retry: true',
    { ...extraUsage, shouldRetry: true },
    forDocument,
  ],
  ['stream: 429 about the length of one prompt', { ...extraUsage, kind: 'stream' }, forDocument],
  ['500 api_error', createStatusError(500), again],
  ['501', createStatusError(501), forDocument],
  ['502', createStatusError(502), again],
  ['503', createStatusError(503), again],
  ['504 timeout_error', createStatusError(504), again],
  ['520 of a proxy', createStatusError(520), again],
  ['524 of a proxy', createStatusError(524), again],
  ['529 overloaded_error', createStatusError(529), again],
  ['a redirect', createStatusError(307), ends],
  // By error_code
  [
    '429 enforced_spend_limit_reached',
    createStatusError(429, { code: 'enforced_spend_limit_reached' }),
    ends,
  ],
  [
    '429 contract_spend_limit_reached',
    createStatusError(429, { code: 'contract_spend_limit_reached' }),
    ends,
  ],
  ['429 ramp_limit_exceeded', createStatusError(429, { code: 'ramp_limit_exceeded' }), limited],
  [
    '402 linked_organization_spend_limit_reached',
    createStatusError(402, { code: 'linked_organization_spend_limit_reached' }),
    ends,
  ],
  [
    '402 linked_organization_billing_unavailable',
    createStatusError(402, { code: 'linked_organization_billing_unavailable' }),
    ends,
  ],
  ['400 organization_on_hold', createStatusError(400, { code: 'organization_on_hold' }), ends],
  [
    '400 image_dimensions_too_large',
    createStatusError(400, { code: 'image_dimensions_too_large' }),
    forDocument,
  ],
  [
    '413 request_body_too_large_after_decoding',
    createStatusError(413, { code: 'request_body_too_large_after_decoding' }),
    forDocument,
  ],
  ['503 cmek_key_unreachable', createStatusError(503, { code: 'cmek_key_unreachable' }), again],
  ['503 cmek_context_unavailable', createStatusError(503, { code: 'cmek_context_unavailable' }), again],
  ['400 cmek_key_disabled', createStatusError(400, { code: 'cmek_key_disabled' }), ends],
  ['400 cmek_key_network_blocked', createStatusError(400, { code: 'cmek_key_network_blocked' }), ends],
  [
    '400 request_body_encoding_unsupported',
    createStatusError(400, { code: 'request_body_encoding_unsupported' }),
    forDocument,
  ],
  ['500 with an unknown error code', createStatusError(500, { code: 'made_up_tomorrow' }), again],
  // By x-should-retry
  ['529 + x-should-retry: false', createStatusError(529, { shouldRetry: false }), ['transient', false]],
  ['400 + x-should-retry: true', createStatusError(400, { shouldRetry: true }), ['document', true]],
  ['429 + x-should-retry: false', createStatusError(429, { shouldRetry: false }), ['rate_limited', false]],
  ['429 + x-should-retry: true', createStatusError(429, { shouldRetry: true }), limited],
  ['401 + x-should-retry: true', createStatusError(401, { shouldRetry: true }), ends],
  // Errors inside a stream, after status 200
  ['stream: overloaded_error', stream('overloaded_error'), again],
  ['stream: api_error', stream('api_error'), again],
  ['stream: timeout_error', stream('timeout_error'), again],
  ['stream: rate_limit_error', stream('rate_limit_error'), limited],
  ['stream: authentication_error', stream('authentication_error'), ends],
  ['stream: invalid_request_error', stream('invalid_request_error'), forDocument],
  ['stream: a type named like a method', stream('constructor'), forDocument],
  [
    'stream reset or ended early',
    { kind: 'malformed', status: 200, type: 'stream_ended_early', message: '' },
    again,
  ],
  // Errors without a complete reply
  [
    'connection refused',
    { kind: 'connection', type: 'connection_error', code: 'ECONNREFUSED', message: '' },
    again,
  ],
  ['a reply without an end', { kind: 'malformed', type: 'reply_too_large', message: '' }, forDocument],
  ['timeout', { kind: 'timeout', type: 'timeout', message: '' }, again],
  [
    'a reply that exceeds the total timeout',
    { kind: 'timeout', type: 'total_timeout', message: '' },
    ['transient', false],
  ],
  ['an expired certificate', { kind: 'tls', type: 'tls_error', code: 'CERT_HAS_EXPIRED', message: '' }, ends],
]

describe('classifyError and isRetryable', () => {
  it.each(rows)('classify %s', (_name, requestError, expected) => {
    expect([classifyError(requestError), isRetryable(requestError)]).toEqual(expected)
  })
})

describe('a prompt that is too long for the account', () => {
  it('fails with a message that names the fix', () => {
    expect(toFailure(extraUsage)).toEqual({
      kind: 429,
      type: 'rate_limit_error',
      message:
        'Extra usage is required for long context requests.; allow extra usage for the account in the console, or split the document',
      transient: false,
    })
  })
})

describe('isUnreachable and mayBeBilled', () => {
  const base = { kind: 'connection', type: 'connection_error', message: '' } as const

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN'])(
    'treat %s as an unreachable API that bills nothing',
    (code) => {
      expect([isUnreachable({ ...base, code }), mayBeBilled({ ...base, code })]).toEqual([true, false])
    },
  )

  it.each(['ECONNRESET', 'ETIMEDOUT', 'UND_ERR_ABORTED'])(
    'treat %s as an unreachable API only if the request was not sent',
    (code) => {
      expect([isUnreachable({ ...base, code }), mayBeBilled({ ...base, code })]).toEqual([false, true])
      expect(isUnreachable({ ...base, code, isUnsent: true })).toBe(true)
      expect(mayBeBilled({ ...base, code, isUnsent: true })).toBe(false)
    },
  )
})
