import { describe, it } from 'vitest'
import { docs } from './invariants.ts'
import { losePower, seedsFrom } from './lose-power.ts'

describe('a power loss', () => {
  it('P27 loses no summary that was saved, and costs no more than the requests in flight', async () => {
    const names = [...'abcd']
    await losePower({ files: docs(names), args: [], concurrency: 2, names }, seedsFrom(1, 25))
  })
})
