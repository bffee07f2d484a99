import fc from 'fast-check'
import { it } from 'vitest'
import type { BatchFault } from '../../src/simulator/batch-fault.ts'
import { checkInterrupted } from '../support/interrupted-batches.ts'

const faults: readonly (BatchFault | undefined)[] = [
  undefined,
  { lost: 'after' },
  { lost: 'before' },
  { status: 500, message: 'x' },
  { status: 529, message: 'x' },
  { cutAfter: 2, reset: true },
  { cutAfter: 0, reset: false },
]

it('batches of the library are paid for once, if any call fails and the program ends anywhere', async () => {
  const scenario = fc.record({
    faults: fc.array(fc.constantFrom(...faults), { maxLength: 10 }),
    endsAt: fc.nat(15),
  })
  // Most of the time is waiting between attempts, so twenty run at the same time.
  const scenarios = fc.array(scenario, { minLength: 20, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(scenarios, async (all) => {
      await Promise.all(all.map(checkInterrupted))
    }),
    { numRuns: 4, endOnFailure: true },
  )
}, 240_000)
