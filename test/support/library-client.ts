import { onTestFinished } from 'vitest'
import { type Client, type ClientOptions, createClient } from '../../src/index.ts'
import type { Behaviour } from '../../src/simulator/script.ts'
import type { Simulator, SimulatorOptions } from '../../src/simulator/simulator.ts'
import { startService } from './run-cli.ts'

/** Rate limits that no test reaches. */
const unlimited = { rpm: 1_000_000, itpm: 1_000_000_000, otpm: 1_000_000_000 }

/** Creates a library client with a separate simulator; both end with the test. */
export async function createLibraryClient(
  service: SimulatorOptions = {},
  options: ClientOptions = {},
): Promise<{ client: Client; simulator: Simulator }> {
  const { simulator, env } = await startService({ limits: unlimited, ...service })
  const client = createClient({ env, ...options })
  onTestFinished(() => client.close())
  return { client, simulator }
}

export const answerWith = (text: string, delayMs = 1): Behaviour => ({ kind: 'answer', delayMs, text })

export const overloaded: Behaviour = { kind: 'status', status: 529, delayMs: 1 }

/** Returns the reason with which a promise rejects. */
export const getRejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expectedRejection,
    (error: unknown) => error,
  )
const expectedRejection = new Error('it should have been rejected')

export async function collectItems<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
