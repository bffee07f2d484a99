import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FolderHistory } from '../../../src/storage/merge/folder-history.ts'
import { orderRuns } from '../../../src/storage/merge/order-runs.ts'
import { runStart, timestampAt } from '../../support/ledger-entries.ts'

/** Returns the order of the runs of several ledgers. @param starts of the runs, in milliseconds */
function order(ledgers: readonly (readonly string[])[], starts: Readonly<Record<string, number>>) {
  const folders = ledgers.map((segments) => ({ segments }) as FolderHistory)
  const runs = Object.entries(starts).map(
    ([run, ms]) => [run, { start: { ...runStart, started_at: timestampAt(ms) }, cwd: '/' }] as const,
  )
  return [...orderRuns(folders, new Map(runs))].map(
    ({ run, copies }) => `${run} ${copies.map((folder) => folders.indexOf(folder)).join()}`,
  )
}

describe('the runs of several ledgers', () => {
  it('are in the order of their starts', () => {
    expect(
      order(
        [
          ['b', 'd'],
          ['a', 'c'],
        ],
        { a: 1, b: 2, c: 3, d: 4 },
      ),
    ).toEqual(['a 1', 'b 0', 'c 1', 'd 0'])
  })

  it('keep the order of each ledger, also if its clock was set back', () => {
    expect(order([['late', 'early'], ['between']], { late: 9, early: 1, between: 5 })).toEqual([
      'between 1',
      'late 0',
      'early 0',
    ])
    // The first ledger waits for the run that both have.
    expect(
      order(
        [
          ['x', 'y'],
          ['before', 'x'],
        ],
        { x: 1, y: 3, before: 2 },
      ),
    ).toEqual(['before 1', 'x 0,1', 'y 0'])
  })

  it('are all there, even if two ledgers contradict each other', () => {
    expect(
      order(
        [
          ['a', 'b'],
          ['b', 'a'],
        ],
        { a: 1, b: 2 },
      ).sort(),
    ).toEqual(['a 0', 'a 1', 'b 0,1'])
    expect(order([['a', 'b', 'a'], ['a']], { a: 1, b: 2 })).toEqual(['a 0,1', 'b 0', 'a 0'])
    expect(
      order(
        [
          ['', 'a'],
          ['', 'b'],
        ],
        { a: 2, b: 1 },
      ),
    ).toEqual([' 0,1', 'b 1', 'a 0'])
  })

  it('are each yielded once for all ledgers that are parts of one', () => {
    const run = fc.nat(9).map(String)
    const ledger = fc.uniqueArray(run, { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(
        ledger,
        fc.array(fc.nat(1023), { maxLength: 4 }),
        fc.array(fc.nat(50)),
        (all, masks, times) => {
          const ledgers = masks.map((mask) => all.filter((_, n) => mask & (1 << n)))
          const starts = Object.fromEntries(all.map((run, n) => [run, times[n] ?? 0]))
          const runs = order(ledgers, starts).map((text) => text.split(' ')[0])
          expect(new Set(runs).size).toBe(runs.length)
          for (const segments of ledgers)
            expect(runs.filter((run = '') => segments.includes(run))).toEqual(segments)
        },
      ),
    )
  })
})
