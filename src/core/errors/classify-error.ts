import { type Fault, isTooLong } from './request-error.ts'

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
