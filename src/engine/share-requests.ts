import type { Outcome, RequestMetadata } from '../core/run/outcome.ts'

/** The documents that are being summarized, and those whose failure would repeat, by their request hash. */
export type RequestsInFlight = Map<string, Promise<Outcome>>

/**
 * Summarizes documents with the same request one after the other, so that the request is sent once.
 * @param copy returns the outcome of this document, given that of the one before; undefined if that has nothing to copy
 * @param summarize produces the outcome of this document
 */
export async function shareRequest(
  inFlight: RequestsInFlight,
  requestHash: string,
  copy: (first: Outcome) => Promise<Outcome | undefined>,
  summarize: () => Promise<Outcome>,
): Promise<Outcome> {
  for (let first = inFlight.get(requestHash); first !== undefined; first = inFlight.get(requestHash)) {
    const copied = await copy(await first)
    if (copied !== undefined) return copied
  }
  const own = summarize()
  inFlight.set(requestHash, own)
  own.then(
    (outcome) => settleRequest(inFlight, requestHash, outcome),
    () => inFlight.delete(requestHash),
  )
  return own
}

/** Ends a request. A failure that would repeat is kept; a summary is found again where it was saved. */
export function settleRequest(inFlight: RequestsInFlight, requestHash: string, outcome: Outcome): void {
  if (wouldRepeat(outcome)) inFlight.set(requestHash, Promise.resolve(outcome))
  else inFlight.delete(requestHash)
}

function wouldRepeat(outcome: Outcome): boolean {
  return outcome.status === 'failed' && !outcome.failure.transient && outcome.attempts.length > 0
}

/**
 * Returns the outcome of a document with the same request as another one, which cost nothing more; undefined if the other
 * one got no reply to copy.
 */
export function copyOutcome(
  first: Outcome,
  requestMetadata: RequestMetadata,
  base: Pick<Outcome, 'document' | 'attempts' | 'elapsedMs'>,
): Outcome | undefined {
  const { status, document, attempts } = first
  // The run was stopped, or the request is in a batch.
  if (status === 'pending' && attempts.length === 0)
    return {
      ...base,
      requestMetadata,
      status,
      reason: first.reason,
      ...(first.deferred && { deferred: true }),
    }
  // Without an attempt, the other document has an earlier result, which is found again for this one.
  if (attempts.length === 0) return undefined
  if (status === 'summarized') {
    const { text, citations, qualityIssues } = first
    const { model, requestId } = attempts.at(-1) ?? {}
    const reusedFrom = {
      path: document.path,
      isMove: false,
      ...(model !== undefined && { model }),
      ...(requestId !== undefined && { requestId }),
    }
    const issues = qualityIssues === undefined ? {} : { qualityIssues }
    const cited = citations === undefined ? {} : { citations }
    return { ...base, requestMetadata, status, text, ...cited, reusedFrom, ...issues }
  }
  if (status !== 'failed' || first.failure.transient) return undefined
  const { failure, partialText } = first
  return {
    ...base,
    requestMetadata,
    status,
    failure,
    isRepeated: true,
    ...(partialText !== undefined && { partialText }),
  }
}
