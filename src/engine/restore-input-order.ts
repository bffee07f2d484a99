import type { DocumentRef } from '../core/document/document.ts'
import type { Outcome } from '../core/run/outcome.ts'

/**
 * How far the newest document may be ahead of the oldest unfinished one: about 16 MB of summaries at most.
 */
export const maxReorderBuffer = 4096

/**
 * Yields outcomes in the order of `sources`, each as soon as all outcomes before it were yielded. If the
 * outcomes end or fail early, the buffered outcomes are yielded first, in order.
 *
 * Ordering happens before writing, so that only written outcomes count as written. The order is that of the
 * list, not of `DocumentRef.index`, which has gaps in a filtered list.
 * @param sources the documents to expect an outcome for; outcomes of other documents are yielded at the end
 * @throws the error of `outcomes`
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
