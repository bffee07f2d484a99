import { classifyError } from './classify-error.ts'
import { failFastThreshold } from './fail-fast-check.ts'
import type { RequestError } from './request-error.ts'

/** A request that was refused in a way that would end the run, and what the run has seen until then. */
export interface AccountErrorContext {
  readonly requestError: RequestError
  /** The document was refused before: this was its second try. */
  readonly isSecondTry: boolean
  /** How many different documents were refused and no request after them was answered; second tries do not count. */
  readonly refusedDocuments: number
  /** The API has answered a request of this run. */
  readonly hasAnswers: boolean
  /** A request of a document that was not refused yet is in flight. */
  readonly isUnrefusedInFlight: boolean
  /** A request is in flight that was sent amid those refusals, so that its end will tell more. */
  readonly isUndecidedInFlight: boolean
}

/** The same number as for the fail-fast check: a few blocked documents do not end the run. */
export const refusedDocumentsThreshold = failFastThreshold

/** The API's own refusals, before any answer: nearly always a wrong key or model. */
const apiRefusedDocumentsThreshold = 3

/**
 * Decides what a refusal concerns: the `account`, so that the run ends; only this `document`, which fails; or nothing
 * that is known yet, so that the document is tried again (`retry_later`). A 401, 403, 404 or redirect may come from a firewall that objects to
 * one document. Only the API's own error body, or several different documents in a row, show that the account, the
 * setup or the network is meant.
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
  // Too few documents to reach that number, and all of them are refused.
  if (isSecondTry && !hasAnswers && refusedDocuments > 1 && !isUnrefusedInFlight) return 'account'
  return isSecondTry ? 'document' : 'retry_later'
}

/** Whether an error that would end the run may also concern a single document. */
export function mayConcernOneDocument(requestError: RequestError): boolean {
  const { kind, status = 0, type, code, nonApiResponse } = requestError
  if (classifyError(requestError) !== 'account' || code !== undefined) return false
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
