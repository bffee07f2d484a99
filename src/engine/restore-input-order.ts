import type { DocumentRef } from '../core/document/document.ts'
import type { Outcome } from '../core/run/outcome.ts'

/** How many documents the newest may be ahead of the oldest unfinished one: about 16 MB of summaries at most. */
export const maxReorderBuffer = 4096

/**
 * Yields outcomes in the order of their sources, each as soon as all before it have come. When the outcomes end, or
 * break off with an error, everything that is still held back is yielded: in order, and first.
 *
 * It orders the outcomes before they are written, so that an outcome counts as written only when it is. The order is
 * that of the list, not of `Source.index`: a list that was filtered leaves gaps there.
 * @param sources all that an outcome is expected of; an outcome of another source is yielded at the end
 * @throws whatever `outcomes` throws
 */
export async function* restoreInputOrder(
  outcomes: AsyncIterable<Outcome>,
  sources: readonly DocumentRef[],
): AsyncGenerator<Outcome> {
  const buffered = new Map<DocumentRef, Outcome>()
  const unexpected: Outcome[] = []
  const expected = new Set(sources)
  let next = 0
  let sourceError: { readonly reason: unknown } | undefined
  try {
    for await (const outcome of outcomes) {
      if (expected.delete(outcome.document)) buffered.set(outcome.document, outcome)
      else unexpected.push(outcome)
      for (
        let ready = takeOutcome(buffered, sources[next]);
        ready !== undefined;
        ready = takeOutcome(buffered, sources[next])
      ) {
        next++
        yield ready
      }
    }
  } catch (reason) {
    sourceError = { reason }
  }
  for (const source of sources.slice(next)) {
    const bufferedOutcome = takeOutcome(buffered, source)
    if (bufferedOutcome !== undefined) yield bufferedOutcome
  }
  yield* unexpected
  if (sourceError !== undefined) throw sourceError.reason
}

function takeOutcome(
  buffered: Map<DocumentRef, Outcome>,
  source: DocumentRef | undefined,
): Outcome | undefined {
  if (source === undefined) return undefined
  const outcome = buffered.get(source)
  buffered.delete(source)
  return outcome
}
