import { describe, expect, it } from 'vitest'
import { judge, type Verdict } from '../../../src/core/errors/classify-error.ts'
import { failureOf } from '../../../src/core/errors/failure.ts'
import { type Fault, isUnreachable, mayBeBilled } from '../../../src/core/errors/request-error.ts'
import { statusFault } from '../../support/scripted-ask.ts'

const again: Verdict = { retry: 'attempt', blame: 'service' }
const limited: Verdict = { retry: 'free', blame: 'service' }
const ends: Verdict = { retry: 'never', blame: 'run' }
const forDocument: Verdict = { retry: 'never', blame: 'document' }
const stream = (type: string): Fault => ({ kind: 'stream', type, message: '' })

const extraUsage = statusFault(429, {
  type: 'rate_limit_error',
  message: 'Extra usage is required for long context requests.',
})

/** Section 3 of the API's facts, row by row. */
const rows: [string, Fault, Verdict][] = [
  // 3.1 by status
  [
    '400 invalid_request_error',
    statusFault(400, { type: 'invalid_request_error', message: 'max_tokens: Field required' }),
    forDocument,
  ],
  [
    '400 prompt is too long',
    statusFault(400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }),
    forDocument,
  ],
  [
    '400 self-set spend limit',
    statusFault(400, {
      message: 'You have reached your specified API usage limits. You will regain access on 2026-12-01.',
    }),
    ends,
  ],
  [
    '400 credit exhausted',
    statusFault(400, { message: 'Your credit balance is too low to access the Anthropic API.' }),
    ends,
  ],
  ['401 authentication_error', statusFault(401), ends],
  ['402 billing_error', statusFault(402), ends],
  ['403 permission_error', statusFault(403), ends],
  ['404 not_found_error', statusFault(404), ends],
  ['408', statusFault(408), again],
  ['409 conflict_error', statusFault(409), again],
  ['413 request_too_large', statusFault(413), forDocument],
  ['413 as an HTML page of the edge', statusFault(413, { type: 'http_413' }), forDocument],
  ['422', statusFault(422), forDocument],
  ['418', statusFault(418), forDocument],
  ['451', statusFault(451), forDocument],
  ['429 rate_limit_error', statusFault(429), limited],
  ['429 about the length of one prompt', extraUsage, forDocument],
  [
    '429 about the length of one prompt + x-should-retry: true',
    { ...extraUsage, shouldRetry: true },
    forDocument,
  ],
  ['stream: 429 about the length of one prompt', { ...extraUsage, kind: 'stream' }, forDocument],
  ['500 api_error', statusFault(500), again],
  ['501', statusFault(501), forDocument],
  ['502', statusFault(502), again],
  ['503', statusFault(503), again],
  ['504 timeout_error', statusFault(504), again],
  ['520 of a proxy', statusFault(520), again],
  ['524 of a proxy', statusFault(524), again],
  ['529 overloaded_error', statusFault(529), again],
  ['a redirect', statusFault(307), ends],
  // 3.2 by error_code
  ['429 enforced_spend_limit_reached', statusFault(429, { code: 'enforced_spend_limit_reached' }), ends],
  ['429 contract_spend_limit_reached', statusFault(429, { code: 'contract_spend_limit_reached' }), ends],
  ['429 ramp_limit_exceeded', statusFault(429, { code: 'ramp_limit_exceeded' }), limited],
  [
    '402 linked_organization_spend_limit_reached',
    statusFault(402, { code: 'linked_organization_spend_limit_reached' }),
    ends,
  ],
  [
    '402 linked_organization_billing_unavailable',
    statusFault(402, { code: 'linked_organization_billing_unavailable' }),
    ends,
  ],
  ['400 organization_on_hold', statusFault(400, { code: 'organization_on_hold' }), ends],
  ['400 image_dimensions_too_large', statusFault(400, { code: 'image_dimensions_too_large' }), forDocument],
  [
    '413 request_body_too_large_after_decoding',
    statusFault(413, { code: 'request_body_too_large_after_decoding' }),
    forDocument,
  ],
  ['503 cmek_key_unreachable', statusFault(503, { code: 'cmek_key_unreachable' }), again],
  ['503 cmek_context_unavailable', statusFault(503, { code: 'cmek_context_unavailable' }), again],
  ['400 cmek_key_disabled', statusFault(400, { code: 'cmek_key_disabled' }), ends],
  ['400 cmek_key_network_blocked', statusFault(400, { code: 'cmek_key_network_blocked' }), ends],
  [
    '400 request_body_encoding_unsupported',
    statusFault(400, { code: 'request_body_encoding_unsupported' }),
    forDocument,
  ],
  ['an unknown code is its bare status', statusFault(500, { code: 'made_up_tomorrow' }), again],
  // 3.3 x-should-retry
  [
    '529 + x-should-retry: false',
    statusFault(529, { shouldRetry: false }),
    { retry: 'never', blame: 'service' },
  ],
  [
    '400 + x-should-retry: true',
    statusFault(400, { shouldRetry: true }),
    { retry: 'attempt', blame: 'document' },
  ],
  ['429 + x-should-retry: true', statusFault(429, { shouldRetry: true }), limited],
  ['401 + x-should-retry: true', statusFault(401, { shouldRetry: true }), ends],
  // 3.5 after the 200
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
  // Before any answer
  [
    'connection refused',
    { kind: 'connection', type: 'connection_error', code: 'ECONNREFUSED', message: '' },
    again,
  ],
  ['a reply without end', { kind: 'malformed', type: 'reply_too_large', message: '' }, forDocument],
  ['timeout', { kind: 'timeout', type: 'timeout', message: '' }, again],
  [
    'an answer that goes on for too long',
    { kind: 'timeout', type: 'total_timeout', message: '' },
    { retry: 'never', blame: 'service' },
  ],
  ['certificate', { kind: 'tls', type: 'tls_error', code: 'CERT_HAS_EXPIRED', message: '' }, ends],
]

describe('judge', () => {
  it.each(rows)('%s', (_name, fault, verdict) => {
    expect(judge(fault)).toEqual(verdict)
  })
})

describe('a prompt that is too long for the account', () => {
  it('fails with a message that says what to do', () => {
    expect(failureOf(extraUsage)).toEqual({
      kind: 429,
      type: 'rate_limit_error',
      message:
        'Extra usage is required for long context requests.; allow extra usage for the account in the console, or split the document',
      transient: false,
    })
  })
})

describe('a service that cannot be reached', () => {
  const base = { kind: 'connection', type: 'connection_error', message: '' } as const

  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN'])(
    'is known by %s, and bills nothing',
    (code) => {
      expect([isUnreachable({ ...base, code }), mayBeBilled({ ...base, code })]).toEqual([true, false])
    },
  )

  it.each(['ECONNRESET', 'ETIMEDOUT', 'UND_ERR_ABORTED'])(
    'is known by %s only where no connection was made',
    (code) => {
      expect([isUnreachable({ ...base, code }), mayBeBilled({ ...base, code })]).toEqual([false, true])
      expect(isUnreachable({ ...base, code, unsent: true })).toBe(true)
      expect(mayBeBilled({ ...base, code, unsent: true })).toBe(false)
    },
  )
})
