import type { Outcome } from '../core/run/outcome.ts'

/** The documents that are being summarized, by their request hash. */
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
  const own = summarize().finally(() => inFlight.delete(requestHash))
  inFlight.set(requestHash, own)
  return own
}
