import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isLargest,
  isOwnTrouble,
  type Result,
  resultsOfOthers,
  withResult,
} from '../../../src/core/errors/document-error-rate.ts'

/** Results of as many documents, `1` for a failure. */
const resultsOf = (ends: string): Result[] =>
  [...ends].map((end, n) => ({ number: n + 1, document: {}, size: 10, failed: end === '1' }))

describe('the trouble of a document', () => {
  it.each([
    ['nobody else was sent', '', 50, false],
    ['all others fail, too', '1111111', 50, false],
    ['others are answered, and it failed once', '0'.repeat(20), 1, false],
    ['others are answered, and it failed twice', '0'.repeat(20), 2, true],
    ['two others are answered, and it failed three times', '00', 3, false],
    ['two others are answered, and it failed four times', '00', 4, true],
    ['half of the others fail, and it failed five times', '0101010101', 5, false],
    ['half of the others fail, and it failed ten times', '0101010101', 10, true],
  ])('where %s: its own? %s %i %s', (_, others, failures, isOwn) => {
    expect(isOwnTrouble(resultsOf(others), failures)).toBe(isOwn)
  })

  it('is its own all the more after another failure of it, and all the less after one of another', () => {
    const ends = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 20 })
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 30 }), (others, failures) => {
        const isOwn = isOwnTrouble(resultsOf(others), failures)
        if (isOwn) expect(isOwnTrouble(resultsOf(others), failures + 1)).toBe(true)
        else expect(isOwnTrouble(resultsOf(`${others}1`), failures)).toBe(false)
      }),
    )
  })

  it('is judged by the latest results of others, sent after its first failure', () => {
    const own = {}
    const before = resultsOf('0000')
    const after = withResult(before, { number: 5, document: own, size: 10, failed: true })
    const now = withResult(after, { number: 6, document: {}, size: 10, failed: false })
    expect(resultsOfOthers(now, own, 4)).toEqual(now.slice(-1))
    const many = resultsOf('0'.repeat(100)).reduce<readonly Result[]>(withResult, [])
    expect(many.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, n) => n + 81))
  })
})

describe('the largest document', () => {
  it('is one that is larger than all that were answered', () => {
    const others = resultsOf('001')
    expect(isLargest(others, 11)).toBe(true)
    expect(isLargest(others, 10)).toBe(false)
    expect(isLargest([...others, { number: 4, document: {}, size: 99, failed: true }], 11)).toBe(true)
  })
})
