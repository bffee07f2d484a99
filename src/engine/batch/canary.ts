import type { Source } from '../../core/document/document.ts'
import type { Outcome } from '../../core/run/outcome.ts'
import { RunError } from '../../errors.ts'
import type { Halt } from '../shutdown.ts'

interface CanaryOptions {
  /** Asks about documents at once, without a batch. */
  readonly live: (sources: readonly Source[]) => AsyncIterable<Outcome>
  /** Whether requests like this document's have been taken before. */
  readonly isProven: (source: Source) => boolean
  /** What tells documents apart that are asked about in different ways. */
  readonly wayOf: (source: Source) => string
  readonly halt: Halt
}

/** So many may be refused before the request itself must be taken to be wrong. */
const mostTries = 5

/**
 * A batch's requests are looked at only when it works on them: what is wrong with one is wrong with a hundred thousand.
 * So one of each kind that was never taken before is asked live, and its answer used.
 * @param ways that are known to be taken; those that prove to be are added
 * @returns what is left to ask about
 */
export async function* proven(
  sources: readonly Source[],
  ways: Set<string>,
  { live, isProven, wayOf, halt }: CanaryOptions,
): AsyncGenerator<Outcome, readonly Source[]> {
  const left = new Set(sources)
  for (const source of sources) if (isProven(source)) ways.add(wayOf(source))
  const tries = new Map<string, number>()
  for (const source of sources) {
    const way = wayOf(source)
    if (ways.has(way)) continue
    if (halt.drain.aborted) break
    left.delete(source)
    for await (const outcome of live([source])) {
      yield outcome
      if (outcome.attempts.length === 0) continue
      if (outcome.attempts.at(-1)?.fault === undefined) ways.add(way)
      else if (outcome.status === 'failed') {
        const tried = (tries.get(way) ?? 0) + 1
        tries.set(way, tried)
        if (tried === mostTries) halt.stop(notTaken(outcome.failure.transient))
      }
    }
  }
  return [...left]
}

function notTaken(transient: boolean): RunError {
  const what = `none of the first ${mostTries} documents was answered live, so no batch was made of the rest`
  return new RunError(transient ? 'later' : 'refused', what)
}
