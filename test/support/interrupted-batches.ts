import { expect } from 'vitest'
import { ClaudeBatchError, definePrompt, type Outcome, type Store, summarizeAll } from '../../src/index.ts'
import type { BatchFault } from '../../src/simulator/batch-fault.ts'
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts'
import { answerWith, collectItems, createLibraryClient, getRejection } from './library-client.ts'

/** Eight texts. */
export const days = Array.from({ length: 8 }, (_, n) => `The log of day ${n}.`)

/** Returns the settings of a service whose batches end immediately. */
export const quick = (service: SimulatorOptions = {}): SimulatorOptions => ({
  script: ({ request }) => answerWith(`Summary of ${request.lastText.match(/day \d+/)?.[0] ?? 'it'}.`),
  ...service,
  batches: { durationMs: 0, ...service.batches },
})

/** Returns all outcomes in the order of the texts. */
export async function collect(outcomes: AsyncIterable<Outcome>): Promise<Outcome[]> {
  return (await collectItems(outcomes)).toSorted((a, b) => a.index - b.index)
}

/** Returns how many requests were sent, live and in batches. */
export function countSent(simulator: Simulator): number {
  const { requests, batches } = simulator.stats()
  return requests + batches.requests
}

/**
 * Runs a call whose program ends at a change of its store, and then calls until all texts have a summary. Checks that
 * none is lost or sent twice, and that no batch is left.
 * @param endsAt the number of changes before the end
 * @param faults the results of the first calls of the batch API
 */
export async function checkInterrupted({
  endsAt,
  faults,
}: {
  readonly endsAt: number
  readonly faults: readonly (BatchFault | undefined)[]
}): Promise<void> {
  let n = 0
  const { client, simulator } = await createLibraryClient(
    quick({ batches: { chooseFault: () => faults[n++] } }),
    { retries: 0 },
  )
  const prompt = definePrompt({ user: '{text}' })
  const disk = new Map<string, string>()
  let writes = 0
  const change = (work: () => unknown) => {
    if (writes++ >= endsAt) throw new Error('killed')
    work()
  }
  const killed: Store = {
    get: (key) => disk.get(key),
    set: (key, value) => change(() => disk.set(key, value)),
    delete: (key) => change(() => disk.delete(key)),
  }
  const run = (store: Store) =>
    collect(summarizeAll(days, { client, store, prompt, mode: 'batch', wait: false }))
  await getRejection(run(killed))
  let outcomes: readonly Outcome[] = []
  for (let calls = 0; calls < 20 && !outcomes.some(({ status }) => status === 'summarized'); calls++) {
    outcomes = await run(disk).catch((error: unknown) => {
      if (!(error instanceof ClaudeBatchError)) throw error
      return []
    })
    if (outcomes.some(({ status }) => status !== 'summarized')) outcomes = []
  }
  expect(outcomes.map((outcome) => 'text' in outcome && outcome.text)).toEqual(
    days.map((_, day) => `Summary of day ${day}.`),
  )
  // The answer of the canary request could not be stored.
  expect(countSent(simulator)).toBe(days.length + (endsAt === 0 ? 1 : 0))
  expect([...disk.keys()].filter((key) => key.startsWith('batch/'))).toEqual([])
}
