import type { RateLimits } from '../rate-limit/parse-rate-limits.ts'
import type { Seconds } from './parse-retry-after.ts'

/** An API error, network error, timeout or unreadable reply of one request, as the client received it. */
export interface RequestError {
  /**
   * The kind of error: an HTTP status, an error inside a stream, or one without any answer. `credentials`: there
   * is no key to send the request with.
   */
  readonly kind: 'status' | 'stream' | 'connection' | 'tls' | 'timeout' | 'malformed' | 'credentials'
  /** HTTP status of the response, if there was one. */
  readonly status?: number
  /** The `error.type` of the API, or one of claude-batch: `connection_error`, `malformed_reply`, … */
  readonly type: string
  /** The `error.details.error_code` of the API, or a system code (`ECONNRESET`, `CERT_HAS_EXPIRED`). */
  readonly code?: string
  /** The error occurred before there was a connection, so the API has not received the request. */
  readonly isUnsent?: true
  /** Text from the server or the system: untrusted, of any length. */
  readonly message: string
  readonly requestId?: string
  /** For a 401: where the credential that was refused came from, never its value. */
  readonly credential?: string
  /** What sets the base URL, if it is not the variable `ANTHROPIC_BASE_URL`. */
  readonly baseUrlSetting?: string
  /**
   * Set if the response has no error body of the API. Something else answered, such as a firewall, a proxy or
   * the sign-in page of a network.
   */
  readonly nonApiResponse?: { readonly host: string; readonly contentType: string }
  /** How long the server asks all clients to wait. */
  readonly retryAfterSeconds?: Seconds
  /** The rate limits of the account, from the response headers. */
  readonly limits?: RateLimits
  /** Set if the request was about batches, not to a model. */
  readonly operation?: 'batches'
  /** The `x-should-retry` header, which overrides the error class. */
  readonly shouldRetry?: boolean
  /** The error concerns only this document: others get replies, or it was not the API that rejected it. */
  readonly isDocumentSpecific?: true
}

/** Whether the request may have reached the model and be billed, although no complete reply came back. */
export function mayBeBilled(requestError: RequestError): boolean {
  if (requestError.kind === 'status') return gatewayTimeoutStatuses.has(requestError.status ?? 0)
  return !['tls', 'credentials'].includes(requestError.kind) && !isUnreachable(requestError)
}

/** Whether there was no connection to the API or its proxy. This concerns every document. */
export function isUnreachable({ kind, code = '', isUnsent }: RequestError): boolean {
  return (kind === 'connection' || kind === 'timeout') && (isUnsent === true || connectFailureCodes.has(code))
}

/** Returns how long the API asks to wait, in milliseconds; undefined if it does not say. */
export function getRetryAfterMs({ retryAfterSeconds }: RequestError): number | undefined {
  return retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000
}

/**
 * Statuses of a gateway that got no complete answer from the API. The API may have processed the request all
 * the same. 520 and 524 are from Cloudflare; its other statuses mean that the API was not reached.
 */
const gatewayTimeoutStatuses: ReadonlySet<number> = new Set([502, 504, 520, 524])

const connectFailureCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Whether the API itself does not know the resource. A 404 of a gateway or proxy does not show that. */
export function isNotFound({ status, type }: Pick<RequestError, 'status' | 'type'>): boolean {
  return status === 404 && type === 'not_found_error'
}

/** Whether the prompt exceeds the context window, the largest request size, or a limit of the account. */
export function isTooLong(requestError: Pick<RequestError, 'status' | 'type' | 'message'>): boolean {
  const { status, message } = requestError
  return (
    status === 413 ||
    (status === 400 && /^prompt is too long|^input is too long for requested model/i.test(message)) ||
    isExtraUsageRequired(requestError)
  )
}

/**
 * Whether the prompt is too long for an account without extra usage. The API has no `error_code` for this, so
 * only the text identifies the error.
 */
export function isExtraUsageRequired({ type, message }: Pick<RequestError, 'type' | 'message'>): boolean {
  return (
    type === 'rate_limit_error' && message.startsWith('Extra usage is required for long context requests')
  )
}

/** Returns what the user can check if the base URL may be wrong. */
export function getBaseUrlSetting({ baseUrlSetting }: Pick<RequestError, 'baseUrlSetting'>): string {
  return baseUrlSetting ?? 'ANTHROPIC_BASE_URL'
}

/** Returns a text that says that the API did not send this response, and what may have sent it. */
export function describeNonApiResponse({
  host,
  contentType,
}: NonNullable<RequestError['nonApiResponse']>): string {
  return `this is not an answer of the API: something in front of ${host} sent it (${contentType}), such as a firewall, a proxy, a gateway or a sign-in page`
}
