import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  appendResult,
  findResultsOfOthers,
  isDocumentSpecificFailure,
  isLargest,
  type RequestResult,
} from '../../../src/core/errors/document-specific-failure.ts'

/** Results of as many documents, `1` for a failure. */
const resultsOf = (ends: string): RequestResult[] =>
  [...ends].map((end, n) => ({
    requestNumber: n + 1,
    document: {},
    promptCharacters: 10,
    isFailure: end === '1',
  }))

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
    expect(isDocumentSpecificFailure(resultsOf(others), failures)).toBe(isOwn)
  })

  it('is its own all the more after another failure of it, and all the less after one of another', () => {
    const ends = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 20 })
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 30 }), (others, failures) => {
        const isOwn = isDocumentSpecificFailure(resultsOf(others), failures)
        if (isOwn) expect(isDocumentSpecificFailure(resultsOf(others), failures + 1)).toBe(true)
        else expect(isDocumentSpecificFailure(resultsOf(`${others}1`), failures)).toBe(false)
      }),
    )
  })

  it('is judged by the latest results of others, sent after its first failure', () => {
    const own = {}
    const before = resultsOf('0000')
    const after = appendResult(before, {
      requestNumber: 5,
      document: own,
      promptCharacters: 10,
      isFailure: true,
    })
    const now = appendResult(after, {
      requestNumber: 6,
      document: {},
      promptCharacters: 10,
      isFailure: false,
    })
    expect(findResultsOfOthers(now, own, 4)).toEqual(now.slice(-1))
    const many = resultsOf('0'.repeat(100)).reduce<readonly RequestResult[]>(appendResult, [])
    expect(many.map(({ requestNumber: number }) => number)).toEqual(
      Array.from({ length: 20 }, (_, n) => n + 81),
    )
  })
})

describe('the largest document', () => {
  it('is one that is larger than all that were answered', () => {
    const others = resultsOf('001')
    expect(isLargest(others, 11)).toBe(true)
    expect(isLargest(others, 10)).toBe(false)
    expect(
      isLargest([...others, { requestNumber: 4, document: {}, promptCharacters: 99, isFailure: true }], 11),
    ).toBe(true)
  })
})
