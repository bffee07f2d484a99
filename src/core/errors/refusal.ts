import { judge } from './classify-error.ts'
import type { Fault } from './request-error.ts'

/** A request that was refused in a way that would end the run, and what the run has seen until then. */
export interface Refusal {
  readonly fault: Fault
  /** The document was refused before: this was its second try. */
  readonly isSecondTry: boolean
  /** How many different documents were refused and no request after them was answered; second tries do not count. */
  readonly documents: number
  /** The API has answered a request of this run. */
  readonly hasAnswers: boolean
  /** A request of a document that was not refused yet is in flight. */
  readonly isOtherInFlight: boolean
  /** A request is in flight that was sent amid those refusals, so that its end will tell more. */
  readonly isUndecidedInFlight: boolean
}

/** As many different documents as the fail-fast check takes, so that a few that are blocked end no run. */
export const enoughRefused = 5

/** The API's own refusals, before any answer: nearly always a wrong key or model. */
const enoughRefusedByApi = 3

/**
 * Decides what a refusal concerns: the `run`, which ends; only this `document`, which fails; or nothing that is known
 * yet, so that the document is tried again `later`. A 401, 403, 404 or redirect may come from a firewall that objects to
 * one document. Only the API's own error body, or several different documents in a row, show that the account, the
 * setup or the network is meant.
 */
export function decideRefusal(refusal: Refusal): 'run' | 'document' | 'later' {
  const { fault, isSecondTry, documents, hasAnswers, isOtherInFlight, isUndecidedInFlight } = refusal
  if (!mayConcernOneDocument(fault)) return 'run'
  if (!hasAnswers && fault.page === undefined)
    return isSecondTry || !isOtherInFlight || documents >= enoughRefusedByApi ? 'run' : 'later'
  if (documents >= enoughRefused && !isUndecidedInFlight) return 'run'
  // Too few documents to reach that number, and all of them are refused.
  if (isSecondTry && !hasAnswers && documents > 1 && !isOtherInFlight) return 'run'
  return isSecondTry ? 'document' : 'later'
}

/** Whether an error that would end the run may also concern a single document. */
export function mayConcernOneDocument(fault: Fault): boolean {
  const { kind, status = 0, type, code, page } = fault
  if (judge(fault).blame !== 'run' || code !== undefined) return false
  if (kind === 'stream') return singleTypes.has(type)
  if (kind !== 'status') return false
  return singleStatuses.has(status) || (page !== undefined && (status === 402 || isRedirect(status)))
}

const singleStatuses: ReadonlySet<number> = new Set([401, 403, 404])
const singleTypes: ReadonlySet<string> = new Set(['authentication_error', 'permission_error'])

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400
}
