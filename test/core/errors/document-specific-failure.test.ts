import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  appendResult,
  findResultsOfOthers,
  isDocumentSpecificFailure,
  isLargest,
  type RequestResult,
} from '../../../src/core/errors/document-specific-failure.ts'

/** One result per character, each of another document: `1` is a failure, `0` a success. */
const resultsOf = (ends: string): RequestResult[] =>
  [...ends].map((end, n) => ({
    requestNumber: n + 1,
    document: {},
    promptCharacters: 10,
    isFailure: end === '1',
  }))

describe('isDocumentSpecificFailure', () => {
  it.each([
    ['no other document was sent', '', 50, false],
    ['all other documents fail, too', '1111111', 50, false],
    ['all others succeed and the document failed once', '0'.repeat(20), 1, false],
    ['all others succeed and the document failed twice', '0'.repeat(20), 2, true],
    ['two others succeed and the document failed three times', '00', 3, false],
    ['two others succeed and the document failed four times', '00', 4, true],
    ['half of the others fail and the document failed five times', '0101010101', 5, false],
    ['half of the others fail and the document failed ten times', '0101010101', 10, true],
  ])('if %s (others %j, %i failures), returns %s', (_, others, failures, isOwn) => {
    expect(isDocumentSpecificFailure(resultsOf(others), failures)).toBe(isOwn)
  })

  it('stays true after another failure of the document, and false after a failure of another one', () => {
    const ends = fc.string({ unit: fc.constantFrom('0', '1'), maxLength: 20 })
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 30 }), (others, failures) => {
        const isOwn = isDocumentSpecificFailure(resultsOf(others), failures)
        if (isOwn) expect(isDocumentSpecificFailure(resultsOf(others), failures + 1)).toBe(true)
        else expect(isDocumentSpecificFailure(resultsOf(`${others}1`), failures)).toBe(false)
      }),
    )
  })

  it('considers the latest results of other documents that were sent after the first failure', () => {
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

describe('isLargest', () => {
  it('returns true for a document that is larger than every document that succeeded', () => {
    const others = resultsOf('001')
    expect(isLargest(others, 11)).toBe(true)
    expect(isLargest(others, 10)).toBe(false)
    expect(
      isLargest([...others, { requestNumber: 4, document: {}, promptCharacters: 99, isFailure: true }], 11),
    ).toBe(true)
  })
})
