import { classifyError } from './classify-error.ts'
import { failFastThreshold } from './fail-fast-check.ts'
import { findPlatformError } from './platform-errors.ts'
import type { RequestError } from './request-error.ts'

/** A request with an error that would end the run, and what the run has observed so far. */
export interface AccountErrorContext {
  readonly requestError: RequestError
  /** The document had such an error before: this was its second try. */
  readonly isSecondTry: boolean
  /** Different documents that were refused since the last request with a reply, without second tries. */
  readonly refusedDocuments: number
  /** Whether any request of this run got a reply. */
  readonly hasAnswers: boolean
  /** Whether a request of a document that was not refused yet is in flight. */
  readonly isUnrefusedInFlight: boolean
  /** Whether a request from the time of those refusals is in flight, so that its end will be evidence. */
  readonly isUndecidedInFlight: boolean
}

/** As for the fail-fast check, so that a few blocked documents do not end the run. */
export const refusedDocumentsThreshold = failFastThreshold

/** For refusals by the API itself before any reply: these are nearly always a wrong key or model. */
const apiRefusedDocumentsThreshold = 3

/**
 * Decides what a refusal concerns. `account`: all documents, so the run ends. `document`: only this document,
 * which fails. `retry_later`: not known yet, so the document is tried again.
 *
 * A 401, 403, 404 or redirect may come from a firewall that blocks one document. The cause is certain only
 * with an error body of the API, or if several documents in a row are refused.
 */
export function resolveAccountError(context: AccountErrorContext): 'account' | 'document' | 'retry_later' {
  const {
    requestError,
    isSecondTry,
    refusedDocuments,
    hasAnswers,
    isUnrefusedInFlight,
    isUndecidedInFlight,
  } = context
  if (!mayConcernOneDocument(requestError)) return 'account'
  if (!hasAnswers && requestError.nonApiResponse === undefined)
    return isSecondTry || !isUnrefusedInFlight || refusedDocuments >= apiRefusedDocumentsThreshold
      ? 'account'
      : 'retry_later'
  if (refusedDocuments >= refusedDocumentsThreshold && !isUndecidedInFlight) return 'account'
  // There are too few documents to reach the threshold, and all of them are refused.
  if (isSecondTry && !hasAnswers && refusedDocuments > 1 && !isUnrefusedInFlight) return 'account'
  return isSecondTry ? 'document' : 'retry_later'
}

/** Whether an error that would end the run may also concern a single document. */
export function mayConcernOneDocument(requestError: RequestError): boolean {
  const { kind, status = 0, type, code, message, nonApiResponse } = requestError
  if (classifyError(requestError) !== 'account' || code !== undefined) return false
  if (findPlatformError(type, message)?.concernsCredentials) return false
  if (kind === 'stream') return ambiguousTypes.has(type)
  if (kind !== 'status') return false
  return (
    ambiguousStatuses.has(status) || (nonApiResponse !== undefined && (status === 402 || isRedirect(status)))
  )
}

const ambiguousStatuses: ReadonlySet<number> = new Set([401, 403, 404])
const ambiguousTypes: ReadonlySet<string> = new Set(['authentication_error', 'permission_error'])

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}
