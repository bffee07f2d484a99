import type { ErrorClass } from './error-class.ts'
import { findPlatformError } from './platform-errors.ts'
import { isTooLong, type RequestError } from './request-error.ts'

/**
 * Classifies by status, then `error.type`, then `error_code`. Never by a range of statuses: that once caused
 * 847 retries of 400s. By message text only if the API gives nothing else.
 * @see https://platform.claude.com/docs/en/api/errors
 */
export function classifyError(requestError: RequestError): ErrorClass {
  // Also for a 429: waiting does not make this prompt shorter, and the error does not concern other prompts.
  return concernsOnlyDocument(requestError) ? 'document' : classifyByKind(requestError)
}

/** Whether the same request may succeed later: the error is `transient` or `rate_limited`. */
export function isTransient(requestError: RequestError): boolean {
  const errorClass = classifyError(requestError)
  return errorClass === 'transient' || errorClass === 'rate_limited'
}

/** Whether this run sends the request again. The `x-should-retry` header overrides the error class. */
export function isRetryable(requestError: RequestError): boolean {
  // An account error would repeat, even if a header asks for a retry.
  if (concernsOnlyDocument(requestError) || classifyError(requestError) === 'account') return false
  return requestError.shouldRetry ?? (isTransient(requestError) && !isTotalTimeout(requestError))
}

function concernsOnlyDocument(requestError: RequestError): boolean {
  return isTooLong(requestError) || requestError.isDocumentSpecific === true
}

/** A reply that exceeded the total timeout would take as long again, and each attempt may be billed. */
function isTotalTimeout({ kind, type }: RequestError): boolean {
  return kind === 'timeout' && type === 'total_timeout'
}

function classifyByKind(requestError: RequestError): ErrorClass {
  switch (requestError.kind) {
    case 'tls':
      return 'account'
    case 'credentials':
      return requestError.type === 'key_expired' ? 'transient' : 'account'
    case 'connection':
    case 'timeout':
      return 'transient'
    case 'malformed':
      // Every reply would be paid for and lost.
      if (requestError.type === 'unknown_encoding') return 'account'
      if (requestError.type === 'foreign_results') return 'account'
      // The next reply would be as large, and each attempt may be billed.
      return requestError.type === 'reply_too_large' ? 'document' : 'transient'
    case 'stream':
      // The status was 200, so only the type describes the error.
      return (
        findPlatformError(requestError.type, requestError.message)?.errorClass ??
        classByStreamType.get(requestError.type) ??
        'document'
      )
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
  const platformError = findPlatformError(type, message)
  if (platformError !== undefined) return platformError.errorClass
  if (
    status === 400 &&
    nonApiResponse === undefined &&
    accountErrorMessages.some((pattern) => pattern.test(message))
  )
    return 'account'
  // 3xx: the client does not follow redirects, because that would send the document to another host.
  return classByStatus[status] ?? (status >= 300 && status < 400 ? 'account' : 'document')
}

/** Statuses that concern more than one document. A 404 means an unknown model or a wrong base URL. */
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
  // 520 to 524 are from Cloudflare, for an origin that is down or slow.
  520: 'transient',
  521: 'transient',
  522: 'transient',
  523: 'transient',
  524: 'transient',
  529: 'transient',
}

/** Classes by the `error.type` of an `event: error` inside a stream. */
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

/** Values of `error_code` with which every further request fails in the same way, with any status. */
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

/** Two account errors are a 400 without a code, so only their text identifies them. */
const accountErrorMessages = [/^You have reached your specified /, /^Your credit balance is too low/]
