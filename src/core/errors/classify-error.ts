import { isTooLong, type RequestError } from './request-error.ts'

/** What follows from a fault. */
export interface Classification {
  /** `never`; `attempt`: again, after a backoff, using up one attempt; `free`: again once the rate limit is over. */
  readonly retry: 'never' | 'attempt' | 'free'
  /** Whose fault it is: of this document, of the service for now, or of the account or setup, which ends the run. */
  readonly scope: 'document' | 'service' | 'run'
}

/**
 * Decides by status, then `error.type`, then `error_code`, then `x-should-retry`; never by a range of statuses (847
 * retried 400s once taught that) and by message text only where the API gives nothing else.
 * @see https://platform.claude.com/docs/en/api/errors
 */
export function classifyError(requestError: RequestError): Classification {
  // Even where it comes as a 429: no wait and no header makes a prompt shorter, and the other prompts are not concerned.
  if (isTooLong(requestError) || requestError.isDocumentSpecific) return documentError
  const classification = classifyByKind(requestError)
  if (requestError.shouldRetry === false) return { ...classification, retry: 'never' }
  // An account that refuses will refuse again, whatever a header says.
  if (requestError.shouldRetry === true && classification.retry === 'never' && classification.scope !== 'run')
    return { ...classification, retry: 'attempt' }
  return classification
}

function classifyByKind(requestError: RequestError): Classification {
  switch (requestError.kind) {
    case 'tls':
      return accountError
    case 'connection':
      return transientError
    case 'timeout':
      // It was answered all the time: that would take as long again, and each time it may be billed.
      return requestError.type === 'total_timeout' ? { retry: 'never', scope: 'service' } : transientError
    case 'malformed':
      // Every answer would be paid for and lost.
      if (requestError.type === 'unknown_encoding') return accountError
      // It would be as long again, and each time it may be billed.
      if (requestError.type === 'foreign_results') return accountError
      return requestError.type === 'reply_too_large' ? documentError : transientError
    case 'stream':
      // After the 200 there is no status any more: only the type tells.
      return streamTypeClassifications.get(requestError.type) ?? documentError
    case 'status':
      return classifyByStatus(requestError)
  }
}

function classifyByStatus({
  status = 0,
  type,
  code = '',
  message,
  nonApiResponse: page,
}: RequestError): Classification {
  if (accountErrorCodes.has(code) || accountErrorCodes.has(type)) return accountError
  if (status === 400 && page === undefined && accountErrorMessages.some((pattern) => pattern.test(message)))
    return accountError
  // 3xx: the client follows no redirect, since that would hand the document to another host.
  return statusClassifications[status] ?? (status >= 300 && status < 400 ? accountError : documentError)
}

const transientError: Classification = { retry: 'attempt', scope: 'service' }
const rateLimitedError: Classification = { retry: 'free', scope: 'service' }
const accountError: Classification = { retry: 'never', scope: 'run' }
const documentError: Classification = { retry: 'never', scope: 'document' }

/** Statuses that are not simply this document's fault. A 404 is an unknown model or a wrong base URL: the same for all. */
const statusClassifications: Readonly<Record<number, Classification>> = {
  401: accountError,
  402: accountError,
  403: accountError,
  404: accountError,
  408: transientError,
  409: transientError,
  429: rateLimitedError,
  500: transientError,
  502: transientError,
  503: transientError,
  504: transientError,
  // Cloudflare's own, for an origin that is down or slow.
  520: transientError,
  521: transientError,
  522: transientError,
  523: transientError,
  524: transientError,
  529: transientError,
}

/** `error.type` of an `event: error` inside a stream. */
const streamTypeClassifications: ReadonlyMap<string, Classification> = new Map([
  ['rate_limit_error', rateLimitedError],
  ['overloaded_error', transientError],
  ['api_error', transientError],
  ['timeout_error', transientError],
  ['conflict_error', transientError],
  ['authentication_error', accountError],
  ['billing_error', accountError],
  ['permission_error', accountError],
])

/** `error_code`s under which every further request fails in the same way, whatever their status. */
const accountErrorCodes: ReadonlySet<string> = new Set([
  'workspace_human_review_disabled',
  'enforced_spend_limit_reached',
  'contract_spend_limit_reached',
  'linked_organization_spend_limit_reached',
  'linked_organization_billing_unavailable',
  'organization_on_hold',
  'cmek_key_disabled',
  'cmek_key_network_blocked',
])

/** Two account faults come as a bare 400 without a code; their text is all there is to know them by. */
const accountErrorMessages = [/^You have reached your specified /, /^Your credit balance is too low/]
