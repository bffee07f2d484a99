import type { Outcome } from '../core/run/outcome.ts'

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
  copy: (first: Outcome) => Promise<Outcome> | undefined,
  summarize: () => Promise<Outcome>,
): Promise<Outcome> {
  for (let first = inFlight.get(requestHash); first !== undefined; first = inFlight.get(requestHash)) {
    const copied = copy(await first)
    if (copied !== undefined) return copied
  }
  const own = summarize()
  inFlight.set(requestHash, own)
  // A summary is found again where it was saved, a failure is not.
  const forget = () => inFlight.delete(requestHash)
  own.then((outcome) => wouldRepeat(outcome) || forget(), forget)
  return own
}

function wouldRepeat(outcome: Outcome): boolean {
  return outcome.status === 'failed' && !outcome.failure.transient && outcome.attempts.length > 0
}
