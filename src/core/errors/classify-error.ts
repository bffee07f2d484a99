import { isTooLong, type RequestError } from './request-error.ts'

/**
 * What follows from a request error. `transient`: the service is in trouble for now. `rate_limited`: the same, and no
 * attempt is used up. `document`: the error concerns only this document. `account`: every request would fail alike, so
 * the run ends.
 */
export type ErrorClass = 'transient' | 'rate_limited' | 'document' | 'account'

/**
 * Classifies by status, then `error.type`, then `error_code`; never by a range of statuses (847 retried 400s once taught
 * that) and by message text only where the API gives nothing else.
 * @see https://platform.claude.com/docs/en/api/errors
 */
export function classifyError(requestError: RequestError): ErrorClass {
  // Even where it comes as a 429: no wait and no header makes a prompt shorter, and the other prompts are not concerned.
  return concernsOnlyDocument(requestError) ? 'document' : classifyByKind(requestError)
}

/** Whether the same request may succeed later: the error is `transient` or `rate_limited`. */
export function isTransient(requestError: RequestError): boolean {
  const errorClass = classifyError(requestError)
  return errorClass === 'transient' || errorClass === 'rate_limited'
}

/** Whether this run sends the request again. The `x-should-retry` header overrides the error class. */
export function isRetryable(requestError: RequestError): boolean {
  // An account that refuses will refuse again, whatever a header says.
  if (concernsOnlyDocument(requestError) || classifyError(requestError) === 'account') return false
  return requestError.shouldRetry ?? (isTransient(requestError) && !isTotalTimeout(requestError))
}

function concernsOnlyDocument(requestError: RequestError): boolean {
  return isTooLong(requestError) || requestError.isDocumentSpecific === true
}

/** A reply that did not end in the total time would take as long again, and each attempt may be billed. */
function isTotalTimeout({ kind, type }: RequestError): boolean {
  return kind === 'timeout' && type === 'total_timeout'
}

function classifyByKind(requestError: RequestError): ErrorClass {
  switch (requestError.kind) {
    case 'tls':
      return 'account'
    case 'connection':
    case 'timeout':
      return 'transient'
    case 'malformed':
      // Every answer would be paid for and lost.
      if (requestError.type === 'unknown_encoding') return 'account'
      if (requestError.type === 'foreign_results') return 'account'
      // The next reply would be as large, and each attempt may be billed.
      return requestError.type === 'reply_too_large' ? 'document' : 'transient'
    case 'stream':
      // After the 200 there is no status any more: only the type tells.
      return classByStreamType.get(requestError.type) ?? 'document'
    case 'status':
      return classifyByStatus(requestError)
  }
}

function classifyByStatus({
  status = 0,
  type,
  code = '',
  message,
  nonApiResponse,
}: RequestError): ErrorClass {
  if (accountErrorCodes.has(code) || accountErrorCodes.has(type)) return 'account'
  if (
    status === 400 &&
    nonApiResponse === undefined &&
    accountErrorMessages.some((pattern) => pattern.test(message))
  )
    return 'account'
  // 3xx: the client follows no redirect, since that would hand the document to another host.
  return classByStatus[status] ?? (status >= 300 && status < 400 ? 'account' : 'document')
}

/** Statuses that do not concern only this document. A 404 is an unknown model or a wrong base URL: the same for all. */
const classByStatus: Readonly<Record<number, ErrorClass>> = {
  401: 'account',
  402: 'account',
  403: 'account',
  404: 'account',
  408: 'transient',
  409: 'transient',
  429: 'rate_limited',
  500: 'transient',
  502: 'transient',
  503: 'transient',
  504: 'transient',
  // Cloudflare's own, for an origin that is down or slow.
  520: 'transient',
  521: 'transient',
  522: 'transient',
  523: 'transient',
  524: 'transient',
  529: 'transient',
}

/** `error.type` of an `event: error` inside a stream. */
const classByStreamType: ReadonlyMap<string, ErrorClass> = new Map([
  ['rate_limit_error', 'rate_limited'],
  ['overloaded_error', 'transient'],
  ['api_error', 'transient'],
  ['timeout_error', 'transient'],
  ['conflict_error', 'transient'],
  ['authentication_error', 'account'],
  ['billing_error', 'account'],
  ['permission_error', 'account'],
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

/** Two account errors come as a bare 400 without a code; their text is all there is to know them by. */
const accountErrorMessages = [/^You have reached your specified /, /^Your credit balance is too low/]
