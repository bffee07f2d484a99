import type { Source } from '../core/document/document.ts'
import type { Outcome } from '../core/run/outcome.ts'

/** How many documents the newest may be ahead of the oldest unfinished one: about 16 MB of summaries at most. */
export const furthestAhead = 4096

/**
 * Yields outcomes in the order of their sources, each as soon as all before it have come. When the outcomes end, or
 * break off with an error, everything that is still held back is yielded: in order, and first.
 *
 * It orders the outcomes before they are written, so that an outcome counts as written only when it is. The order is
 * that of the list, not of `Source.index`: a list that was filtered leaves gaps there.
 * @param sources all that an outcome is expected of; an outcome of another source is yielded at the end
 * @throws whatever `outcomes` throws
 */
export async function* inOrder(
  outcomes: AsyncIterable<Outcome>,
  sources: readonly Source[],
): AsyncGenerator<Outcome> {
  const held = new Map<Source, Outcome>()
  const unexpected: Outcome[] = []
  const expected = new Set(sources)
  let next = 0
  let failure: { readonly reason: unknown } | undefined
  try {
    for await (const outcome of outcomes) {
      if (expected.delete(outcome.source)) held.set(outcome.source, outcome)
      else unexpected.push(outcome)
      for (let ready = take(held, sources[next]); ready !== undefined; ready = take(held, sources[next])) {
        next++
        yield ready
      }
    }
  } catch (reason) {
    failure = { reason }
  }
  for (const source of sources.slice(next)) {
    const left = take(held, source)
    if (left !== undefined) yield left
  }
  yield* unexpected
  if (failure !== undefined) throw failure.reason
}

function take(held: Map<Source, Outcome>, source: Source | undefined): Outcome | undefined {
  if (source === undefined) return undefined
  const outcome = held.get(source)
  held.delete(source)
  return outcome
}
