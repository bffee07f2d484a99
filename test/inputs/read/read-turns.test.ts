import { describe, expect, it } from 'vitest'
import { createReadTurns } from '../../../src/inputs/read/read-turns.ts'
import { countTurns } from '../../support/event-loop-turns.ts'

/** Reads twenty documents that begin together. @returns in which turn of the event loop each was read */
async function readTogether(msPerDocument: number): Promise<readonly number[]> {
  let now = 0
  const nextReadTurn = createReadTurns(() => now)
  const getTurn = countTurns()
  return Promise.all(
    Array.from({ length: 20 }, async () => {
      await nextReadTurn()
      now += msPerDocument
      return getTurn()
    }),
  )
}

describe('createReadTurns', () => {
  it('ends the current turn and one more before a document is read', async () => {
    expect(Math.min(...(await readTogether(0)))).toBe(2)
  })

  it('reads each slow document in a separate turn, in order', async () => {
    const turns = await readTogether(20)
    expect(new Set(turns).size).toBe(20)
    expect(turns).toEqual(turns.toSorted((a, b) => a - b))
  })

  it('reads documents in the same turn until a millisecond is used up', async () => {
    const turns = await readTogether(0.25)
    const countIn = (turn: number) => turns.filter((other) => other === turn).length
    expect([...new Set(turns)].map(countIn)).toEqual([4, 4, 4, 4, 4])
  })

  it('reads all documents in one turn if they take no time', async () => {
    expect(new Set(await readTogether(0)).size).toBe(1)
  })
})
