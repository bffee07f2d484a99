import type { Attempt } from './attempt.ts'
import type { RateLimits } from './rate-limits.ts'
import type { Seconds } from './retry-after.ts'
import { truncate } from './truncate.ts'

/** What went wrong with one sending: the bare facts, as the client read them off the wire. */
export interface Fault {
  /** Where it went wrong: an HTTP status, an error inside a stream, or before any answer. */
  readonly kind: 'status' | 'stream' | 'connection' | 'tls' | 'timeout' | 'malformed'
  /** HTTP status of the response, if there was one. */
  readonly status?: number
  /** The API's `error.type`, or a word of ours: `connection_error`, `timeout`, `malformed_reply`, … */
  readonly type: string
  /** The API's `error.details.error_code`, or the system's code (`ECONNRESET`, `CERT_HAS_EXPIRED`). */
  readonly code?: string
  /** It went wrong before a connection stood: the service has not seen the request. */
  readonly unsent?: true
  /** Text of the server or the system: untrusted, of any length. */
  readonly message: string
  readonly requestId?: string
  /** For a 401: where the credential that was refused came from, never its value. */
  readonly credential?: string
  /**
   * Set where the response has no error body of the API: something in front of it answered, such as a firewall, a
   * proxy or the sign-in page of a network.
   */
  readonly page?: { readonly host: string; readonly contentType: string }
  /** How long the server asks everyone to wait. */
  readonly retryAfter?: Seconds
  /** The account's limits, as the response's headers told them. */
  readonly limits?: RateLimits
  /** What was asked for, where that is no answer of a model. */
  readonly about?: 'batches'
  /** The `x-should-retry` header, which overrides the rule by status. */
  readonly shouldRetry?: boolean
  /** It concerns this document alone: others are answered, or it is not the API that refuses. */
  readonly isOnlyThis?: true
}

/** How a failed request may be sent again. */
export interface Again {
  /** Uses up no attempt, since it is not for the document to prove itself. */
  readonly free: boolean
  /** When: milliseconds from now; 0: at once, in the same place; undefined: after a backoff, or as the service asks. */
  readonly waitMs?: number
  /** Once more, though such a fault is never retried: only others know better. */
  readonly isSecondTry?: true
}

/** A fault thrown through an {@link Ask}, with every sending that came before it. */
export class AskError extends Error {
  override readonly name = 'AskError'
  readonly fault: Fault
  readonly attempts: readonly Attempt[]
  readonly again: Again

  constructor(fault: Fault, attempts: readonly Attempt[] = [], again: Again = { free: false }) {
    super(fault.message)
    this.fault = fault
    this.attempts = attempts
    this.again = again
  }
}

/** The run was told to stop before a request had its answer: why, with every sending that came before. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError'
  override readonly cause: Error
  readonly attempts: readonly Attempt[]

  constructor(cause: Error, attempts: readonly Attempt[]) {
    super(cause.message, { cause })
    this.cause = cause
    this.attempts = attempts
  }
}

/** What follows from a fault. */
export interface Verdict {
  /** `never`; `attempt`: again, after a backoff, using up one attempt; `free`: again once the rate limit is over. */
  readonly retry: 'never' | 'attempt' | 'free'
  /** Whose fault it is: of this document, of the service for now, or of the account or setup, which ends the run. */
  readonly blame: 'document' | 'service' | 'run'
}

/**
 * Decides by status, then `error.type`, then `error_code`, then `x-should-retry`; never by a range of statuses (847
 * retried 400s once taught that) and by message text only where the API gives nothing else.
 * @see https://platform.claude.com/docs/en/api/errors
 */
export function judge(fault: Fault): Verdict {
  // Even where it comes as a 429: no wait and no header makes a prompt shorter, and the other prompts are not concerned.
  if (isTooLong(fault) || fault.isOnlyThis) return forDocument
  const verdict = ofFault(fault)
  if (fault.shouldRetry === false) return { ...verdict, retry: 'never' }
  // An account that refuses will refuse again, whatever a header says.
  if (fault.shouldRetry === true && verdict.retry === 'never' && verdict.blame !== 'run')
    return { ...verdict, retry: 'attempt' }
  return verdict
}

function ofFault(fault: Fault): Verdict {
  switch (fault.kind) {
    case 'tls':
      return ends
    case 'connection':
      return again
    case 'timeout':
      // It was answered all the time: that would take as long again, and each time it may be billed.
      return fault.type === 'total_timeout' ? { retry: 'never', blame: 'service' } : again
    case 'malformed':
      // Every answer would be paid for and lost.
      if (fault.type === 'unknown_encoding') return ends
      // It would be as long again, and each time it may be billed.
      if (fault.type === 'foreign_results') return ends
      return fault.type === 'reply_too_large' ? forDocument : again
    case 'stream':
      // After the 200 there is no status any more: only the type tells.
      return byType.get(fault.type) ?? forDocument
    case 'status':
      return ofStatus(fault)
  }
}

function ofStatus({ status = 0, type, code = '', message, page }: Fault): Verdict {
  if (endingCodes.has(code) || endingCodes.has(type)) return ends
  if (status === 400 && page === undefined && endingMessages.some((pattern) => pattern.test(message)))
    return ends
  // 3xx: the client follows no redirect, since that would hand the document to another host.
  return byStatus[status] ?? (status >= 300 && status < 400 ? ends : forDocument)
}

const again: Verdict = { retry: 'attempt', blame: 'service' }
const limited: Verdict = { retry: 'free', blame: 'service' }
const ends: Verdict = { retry: 'never', blame: 'run' }
const forDocument: Verdict = { retry: 'never', blame: 'document' }

/** Statuses that are not simply this document's fault. A 404 is an unknown model or a wrong base URL: the same for all. */
const byStatus: Readonly<Record<number, Verdict>> = {
  401: ends,
  402: ends,
  403: ends,
  404: ends,
  408: again,
  409: again,
  429: limited,
  500: again,
  502: again,
  503: again,
  504: again,
  // Cloudflare's own, for an origin that is down or slow.
  520: again,
  521: again,
  522: again,
  523: again,
  524: again,
  529: again,
}

/** `error.type` of an `event: error` inside a stream. */
const byType: ReadonlyMap<string, Verdict> = new Map([
  ['rate_limit_error', limited],
  ['overloaded_error', again],
  ['api_error', again],
  ['timeout_error', again],
  ['conflict_error', again],
  ['authentication_error', ends],
  ['billing_error', ends],
  ['permission_error', ends],
])

/** `error_code`s under which every further request fails in the same way, whatever their status. */
const endingCodes: ReadonlySet<string> = new Set([
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
const endingMessages = [/^You have reached your specified /, /^Your credit balance is too low/]

/** The request may have reached the model, and be billed, though no whole answer came back. */
export function mayBeBilled(fault: Fault): boolean {
  if (fault.kind === 'status') return gaveUpWaiting.has(fault.status ?? 0)
  return fault.kind !== 'tls' && !isUnreachable(fault)
}

/** No connection could be made, to the service or to the proxy in front of it: the same for every document. */
export function isUnreachable({ kind, code = '', unsent }: Fault): boolean {
  return (kind === 'connection' || kind === 'timeout') && (unsent === true || neverSent.has(code))
}

/** How long the service asks to wait, in milliseconds; undefined where it does not say. */
export function askedMs({ retryAfter }: Fault): number | undefined {
  return retryAfter === undefined ? undefined : retryAfter * 1000
}

/**
 * Answers of a gateway that got none, or no whole one, from the service behind it: nobody here knows whether there was
 * one after all. 520 and 524 are Cloudflare's own; with its other ones the service was not reached.
 */
const gaveUpWaiting: ReadonlySet<number> = new Set([502, 504, 520, 524])

const neverSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Why a document has no summary, as its record and its JSON tell it. */
export interface Failure {
  /** An HTTP status, or the part that failed. */
  readonly kind:
    | number
    | 'input'
    | 'output'
    | 'reply'
    | 'stream'
    | 'connection'
    | 'tls'
    | 'timeout'
    | 'malformed'
  readonly type: string
  readonly message: string
  readonly requestId?: string
  /** The next run, unchanged, may well succeed. */
  readonly transient: boolean
}

/** The failure of a document whose last sending ended in this fault. */
export function failureOf(fault: Fault): Failure {
  const hint = hintFor(fault)
  return {
    kind:
      fault.kind === 'status' && fault.status !== undefined
        ? fault.status
        : (fault.kind as Exclude<Fault['kind'], 'status'>),
    type: fault.type,
    message: hint === undefined ? fault.message : `${fault.message}; ${hint}`,
    transient: judge(fault).blame === 'service',
    ...(fault.requestId !== undefined && { requestId: fault.requestId }),
  }
}

/** The API itself does not know what was asked for; a 404 of a gateway or a proxy in front of it says nothing about that. */
export function isNotFound({ status, type }: Pick<Fault, 'status' | 'type'>): boolean {
  return status === 404 && type === 'not_found_error'
}

/** The prompt is longer than the model's window, than any request may be, or than the account may send. */
export function isTooLong(fault: Pick<Fault, 'status' | 'type' | 'message'>): boolean {
  const { status, message } = fault
  return (
    status === 413 || (status === 400 && message.startsWith('prompt is too long')) || needsExtraUsage(fault)
  )
}

/** The API has no `error_code` for it, so its text is all there is to know it by. */
function needsExtraUsage({ type, message }: Pick<Fault, 'type' | 'message'>): boolean {
  return (
    type === 'rate_limit_error' && message.startsWith('Extra usage is required for long context requests')
  )
}

/** What can be done about it, where that is not the same for every error. */
function hintFor(fault: Fault): string | undefined {
  if (needsExtraUsage(fault)) return 'allow extra usage for the account in the console, or split the document'
  if (isTooLong(fault)) return 'split the document'
  if (fault.page !== undefined && judge(fault).blame !== 'service')
    return `${fromSomethingElse(fault.page)}; it may object to this document`
  return isUnreachable(fault) ? 'check the network, ANTHROPIC_BASE_URL and any proxy' : undefined
}

/** Says that a response is not one of the API, and where to look. */
export function fromSomethingElse({ host, contentType }: NonNullable<Fault['page']>): string {
  return `this is not an answer of the API: something in front of ${host} sent it (${contentType}), such as a firewall, a proxy, a gateway or a sign-in page`
}

/** `529 overloaded_error: Overloaded`: the first line of a record after its `ERROR: `. May hold untrusted text. */
export function failureLine({ kind, type, message }: Failure): string {
  return `${kind} ${type}: ${truncate(message.replace(/\s+/g, ' ').trim(), 300)}`
}
