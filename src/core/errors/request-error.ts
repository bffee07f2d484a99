import type { RateLimits } from '../rate-limit/parse-rate-limits.ts'
import type { Seconds } from './parse-retry-after.ts'

/** What went wrong with one sending: the bare facts, as the client read them off the wire. */
export interface RequestError {
  /** Where it went wrong: an HTTP status, an error inside a stream, or before any answer. */
  readonly kind: 'status' | 'stream' | 'connection' | 'tls' | 'timeout' | 'malformed'
  /** HTTP status of the response, if there was one. */
  readonly status?: number
  /** The API's `error.type`, or a word of ours: `connection_error`, `timeout`, `malformed_reply`, … */
  readonly type: string
  /** The API's `error.details.error_code`, or the system's code (`ECONNRESET`, `CERT_HAS_EXPIRED`). */
  readonly code?: string
  /** It went wrong before a connection stood: the service has not seen the request. */
  readonly isUnsent?: true
  /** Text of the server or the system: untrusted, of any length. */
  readonly message: string
  readonly requestId?: string
  /** For a 401: where the credential that was refused came from, never its value. */
  readonly credential?: string
  /**
   * Set where the response has no error body of the API: something in front of it answered, such as a firewall, a
   * proxy or the sign-in page of a network.
   */
  readonly nonApiResponse?: { readonly host: string; readonly contentType: string }
  /** How long the server asks everyone to wait. */
  readonly retryAfterSeconds?: Seconds
  /** The account's limits, as the response's headers told them. */
  readonly limits?: RateLimits
  /** What was asked for, where that is no answer of a model. */
  readonly operation?: 'batches'
  /** The `x-should-retry` header, which overrides the rule by status. */
  readonly shouldRetry?: boolean
  /** It concerns this document alone: others are answered, or it is not the API that refuses. */
  readonly isDocumentSpecific?: true
}

/** The request may have reached the model, and be billed, though no whole answer came back. */
export function mayBeBilled(requestError: RequestError): boolean {
  if (requestError.kind === 'status') return gatewayTimeoutStatuses.has(requestError.status ?? 0)
  return requestError.kind !== 'tls' && !isUnreachable(requestError)
}

/** No connection could be made, to the service or to the proxy in front of it: the same for every document. */
export function isUnreachable({ kind, code = '', isUnsent }: RequestError): boolean {
  return (kind === 'connection' || kind === 'timeout') && (isUnsent === true || connectFailureCodes.has(code))
}

/** How long the service asks to wait, in milliseconds; undefined where it does not say. */
export function getRetryAfterMs({ retryAfterSeconds }: RequestError): number | undefined {
  return retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000
}

/**
 * Answers of a gateway that got none, or no whole one, from the service behind it: nobody here knows whether there was
 * one after all. 520 and 524 are Cloudflare's own; with its other ones the service was not reached.
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

/** The API itself does not know what was asked for; a 404 of a gateway or a proxy in front of it says nothing about that. */
export function isNotFound({ status, type }: Pick<RequestError, 'status' | 'type'>): boolean {
  return status === 404 && type === 'not_found_error'
}

/** The prompt is longer than the model's window, than any request may be, or than the account may send. */
export function isTooLong(requestError: Pick<RequestError, 'status' | 'type' | 'message'>): boolean {
  const { status, message } = requestError
  return (
    status === 413 ||
    (status === 400 && message.startsWith('prompt is too long')) ||
    isExtraUsageRequired(requestError)
  )
}

/** The API has no `error_code` for it, so its text is all there is to know it by. */
export function isExtraUsageRequired({ type, message }: Pick<RequestError, 'type' | 'message'>): boolean {
  return (
    type === 'rate_limit_error' && message.startsWith('Extra usage is required for long context requests')
  )
}

/** Says that a response is not one of the API, and where to look. */
export function describeNonApiResponse({
  host,
  contentType,
}: NonNullable<RequestError['nonApiResponse']>): string {
  return `this is not an answer of the API: something in front of ${host} sent it (${contentType}), such as a firewall, a proxy, a gateway or a sign-in page`
}
