import type { BatchAnswer, BatchResult, Packed, UnreadableResult } from '../../core/batch/batch.ts'
import type { Batches } from '../../core/batch/batch-api.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import type { AskError } from '../../core/errors/ask-error.ts'
import { backoffMs } from '../../core/rate-limit/backoff.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import { manyOf } from '../../core/text/format-number.ts'
import type { Halt } from '../shutdown.ts'
import { isTransient, patiently } from './retry-until-success.ts'

/** A request of a batch and what became of it. */
export interface Answered {
  /** Its `custom_id`. */
  readonly id: string
  readonly packed: Packed
  readonly result: BatchResult
}

export interface ReadResultsOptions {
  readonly batches: Batches
  readonly halt: Halt
  readonly clock: Clock
  readonly random: () => number
  /** How often the API is asked again whether it is back, before the rest is left for later. */
  readonly retries: number
  readonly listener: {
    /** A download failed for a reason that will pass; it starts again after this wait. */
    troubled(error: AskError, waitMs: number): void
    /** The results hold something they should not. */
    odd(text: string): void
  }
}

/** How many downloads in a row may bring nothing new before what is missing is left for another run. */
const mostFruitless = 5

/**
 * Yields the result of each request of a batch that has ended, downloading the results as often as that takes. A
 * download that is cut off, even at the end of a line, is followed by another. An answer is given up as unreadable only
 * where two downloads agree: it was paid for. A line that does not name its request counts for a request that has no
 * line at all, where there is one such line for each.
 * @param missing the requests without an answer, by `custom_id`; each leaves it as it is yielded. Those that are left at
 * the end have no answer in the results
 * @throws AskError where the API is down, or for what no further download can cure; the reason of a stop
 */
export async function* readResults(
  { id, documents }: { readonly id: string; readonly documents: StoredBatch['documents'] },
  missing: Map<string, Packed>,
  { batches, halt, listener, ...waits }: ReadResultsOptions,
): AsyncGenerator<Answered> {
  const known: Known = { suspects: new Set(), strangers: new Set(), duplicates: new Set() }
  /** The last download accounted for every request, though not readably. */
  let isExplained = false
  let fruitless = 0
  while (missing.size > 0 && fruitless < mostFruitless) {
    if (fruitless > 0) await waits.clock.sleep(backoffMs(fruitless, waits.random()), halt.drain)
    const left = missing.size
    try {
      const { unreadable, nameless } = yield* oneDownload(batches.answers(id, halt.abort), documents, {
        missing,
        ...known,
      })
      const lineless = [...missing].filter(([id]) => !unreadable.has(id))
      const wasExplained = isExplained
      isExplained = lineless.length <= nameless.count
      if (isExplained && wasExplained)
        for (const [id, packed] of lineless) {
          missing.delete(id)
          yield { id, packed, result: oneOf(nameless) }
        }
    } catch (error) {
      if (!isTransient(error)) throw error
      // The API may be down for a while: the next download starts once it answers.
      const patience = { ...waits, drain: halt.drain, failed: listener.troubled }
      await patiently(() => batches.retrieve(id, halt.abort), patience)
    }
    fruitless = missing.size < left ? 0 : fruitless + 1
  }
  for (const text of oddities(id, known)) listener.odd(text)
}

/** What the downloads so far have shown, by `custom_id`. */
interface Known {
  /** Requests whose line could not be read. */
  readonly suspects: Set<string>
  readonly strangers: Set<string>
  readonly duplicates: Set<string>
}

/** What a whole download leaves to explain. */
interface Download {
  /** Requests whose line could not be read for the first time. */
  readonly unreadable: ReadonlySet<string>
  readonly nameless: Nameless
}

/** Lines that name no request. */
interface Nameless {
  count: number
  /** What is wrong with the last one. */
  why: string
  lines: string
}

async function* oneDownload(
  answers: AsyncIterable<BatchAnswer>,
  documents: StoredBatch['documents'],
  { missing, suspects, strangers, duplicates }: Known & { readonly missing: Map<string, Packed> },
): AsyncGenerator<Answered, Download> {
  const seen = new Set<string>()
  const unreadable = new Set<string>()
  const nameless = { count: 0, why: '', lines: '' }
  try {
    for await (const { id, result } of answers) {
      if (id === undefined) {
        nameless.count++
        nameless.why = result.unreadable
        if (nameless.lines.length < mostKept) nameless.lines += `${result.line}\n`
        continue
      }
      const packed = missing.get(id)
      if (!documents.has(id)) strangers.add(id)
      else if (seen.has(id)) duplicates.add(id)
      else seen.add(id)
      if (isUnreadable(result) && !suspects.has(id)) unreadable.add(id)
      else if (packed !== undefined) {
        missing.delete(id)
        yield { id, packed, result }
      }
    }
    return { unreadable, nameless }
  } finally {
    for (const id of unreadable) suspects.add(id)
  }
}

function isUnreadable(result: BatchResult): boolean {
  return typeof result === 'object' && 'unreadable' in result
}

function oddities(batch: string, { strangers, duplicates }: Known): string[] {
  const results = `the results of the batch ${batch}`
  const unknown = manyOf(strangers.size, 'answer')
  const twice = manyOf(duplicates.size, 'request')
  return [
    ...(duplicates.size > 0 ? [`${results} answer ${twice} twice; the first answer counts`] : []),
    ...(strangers.size > 0 ? [`${results} have ${unknown} to requests that are not in it; ignored`] : []),
  ]
}

/** Of lines that name no request, characters in all. */
const mostKept = 100_000

/** The result of a request whose line is one of those that name no request. */
function oneOf({ count, why, lines }: Nameless): UnreadableResult {
  if (count === 1) return { unreadable: why, line: lines.trimEnd() }
  return {
    unreadable: `${count} lines of the results cannot be read and name no request; one of them may be its answer`,
    line: lines.trimEnd(),
  }
}
