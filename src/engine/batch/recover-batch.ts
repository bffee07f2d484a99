import { type Batch, isOf } from '../../core/batch/batch.ts'
import type { Batches } from '../../core/batch/batch-api.ts'
import type { StoredBatch } from '../../core/batch/batch-store.ts'
import { AskError } from '../../core/errors/ask-error.ts'
import { isNotFound } from '../../core/errors/request-error.ts'
import type { Clock } from '../../core/rate-limit/clock.ts'
import { RunError } from '../../errors.ts'
import type { Halt } from '../shutdown.ts'
import { isTransient, type PatientOptions, patiently } from './retry-until-success.ts'

/** How a batch stands: `never` made, or `perhaps`, where that cannot be known yet. */
type Found = Batch | 'perhaps' | 'never'

export interface Finder {
  /**
   * Looks for a batch, again and again where the API cannot answer for now, and leaves the question open after that:
   * one batch that cannot be found must not hold up the others.
   * @throws AskError where the account is refused; RunError `refused` where the service knows nothing of a batch that
   * it made; the reason of a stop
   */
  find(batch: StoredBatch): Promise<Found>
}

export interface FinderOptions {
  readonly batches: Batches
  readonly clock: Clock
  readonly random: () => number
  readonly retries: number
  readonly halt: Pick<Halt, 'drain' | 'abort'>
  readonly listener: { troubled: NonNullable<PatientOptions['failed']> }
}

/**
 * Finds batches at the service. Creating one cannot be repeated safely, as there is no key to make it idempotent, so
 * where nobody heard whether it was made it is looked for before anything is sent again: among those of that time and
 * size, the one whose requests bear its name. They show that only once it has ended.
 * @see https://platform.claude.com/docs/en/build-with-claude/batch-processing
 */
export function createFinder(
  { batches, clock, random, retries, halt, listener }: FinderOptions,
  open: readonly StoredBatch[],
): Finder {
  /** Batches that are known by their ids. */
  const known = new Set(open.flatMap(({ id }) => id ?? []))
  /** The `custom_id` of one request of each other batch that has shown it; '' where none will. */
  const names = new Map<string, string>()

  /** Undefined where the results do not show whose they are. */
  const nameIn = async ({ id, archived }: Batch): Promise<string | undefined> => {
    if (archived) return ''
    try {
      for await (const answer of batches.answers(id, halt.abort))
        if (answer.id !== undefined) return answer.id
    } catch (error) {
      // Somebody else's, deleted a moment ago.
      if (error instanceof AskError && isNotFound(error.fault)) return ''
      throw error
    }
    return undefined
  }
  const look = async (batch: StoredBatch): Promise<Found> => {
    const listed = await batches.since(batch.packed - skewMs, halt.abort)
    let perhaps = !listed.isComplete
    let unnamed: Batch | undefined
    for (const found of listed.batches) {
      const { requests = batch.documents.size } = found
      if (known.has(found.id) || requests !== batch.documents.size) continue
      // It may be another one that is looked for, so what it is called is kept, and not only what it is not.
      const name = names.get(found.id) ?? (found.state === 'ended' ? await nameIn(found) : undefined)
      if (name === undefined && found.state === 'ended') unnamed ??= found
      else if (name === undefined) perhaps = true
      else if (isOf(batch.intent, name)) {
        await batch.made(found.id)
        known.add(found.id)
        return found
      } else names.set(found.id, name)
    }
    if (perhaps) return 'perhaps'
    if (unnamed === undefined) return 'never'
    // No line of its results can be read, and none ever will be: if it is this batch, its documents may be billed, and
    // if it is another, they fail without having been sent. Either way the next run sends them; waiting has no end.
    await batch.made(unnamed.id)
    known.add(unnamed.id)
    return unnamed
  }
  const patience = { clock, random, retries, drain: halt.drain, failed: listener.troubled }
  return {
    find: (batch) =>
      patiently(() => once(batch), patience).catch((error: unknown) => {
        if (isTransient(error)) return 'perhaps'
        throw error
      }),
  }

  async function once(batch: StoredBatch): Promise<Found> {
    const { id } = batch
    if (id !== undefined) {
      known.add(id)
      return batches.retrieve(id, halt.abort).catch((error: unknown) => {
        if (!(error instanceof AskError) || !isNotFound(error.fault)) throw error
        // A moment after it was made the service may not know it yet.
        if (Math.abs(clock.wall() - batch.packed) < newMs) return 'perhaps'
        throw new RunError('refused', unknown(id))
      })
    }
    for (let looks = 1; ; looks++) {
      const found = await look(batch)
      if (found !== 'never' || looks === mostLooks) return found
      await clock.sleep(betweenLooksMs, halt.drain)
    }
  }
}

/**
 * By so much the clock of the machine may have been ahead when the batch was packed, and have been corrected since. Looking
 * at more batches costs little; one that is not found is sent, and paid for, again.
 */
const skewMs = 3 * 86_400_000

/** A batch appears among the others within moments: three looks over four seconds find it. */
const mostLooks = 3
const betweenLooksMs = 2000

const newMs = 300_000

function unknown(id: string): string {
  return `the API does not know the batch ${id}: it was deleted, or created with another account's key; \`claude-batch batches cancel --id ${id}\` gives it up, and its documents are then sent, and paid for, again`
}
