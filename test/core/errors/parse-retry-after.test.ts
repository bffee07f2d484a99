import { describe, expect, it } from 'vitest'
import { parseRetryAfter } from '../../../src/core/errors/parse-retry-after.ts'
import { computeBackoffMs } from '../../../src/core/rate-limit/backoff.ts'

const wall = Date.parse('2026-11-22T12:00:00Z')

describe('retryAfter', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['seconds', { 'retry-after': '2' }, 2],
    ['a fraction of seconds', { 'retry-after': '1.5' }, 1.5],
    ['milliseconds win', { 'retry-after-ms': '200', 'retry-after': '30' }, 0.2],
    ['a date, by the local clock', { 'retry-after': 'Sun, 22 Nov 2026 12:00:03 GMT' }, 3],
    [
      'a date, by the response’s own clock',
      { 'retry-after': 'Sun, 22 Nov 2026 13:00:03 GMT', date: 'Sun, 22 Nov 2026 13:00:00 GMT' },
      3,
    ],
    ['two headers: the longer', { 'retry-after': '2, 5' }, 5],
    ['two headers without a space: the longer', { 'retry-after': '1,3' }, 3],
    ['two headers, one of them junk', { 'retry-after': 'abc,-4, 3' }, 3],
    ['two headers of milliseconds', { 'retry-after-ms': '100, 300' }, 0.3],
    ['a number and a date', { 'retry-after': '2, Sun, 22 Nov 2026 12:00:05 GMT' }, 5],
    ['a date and a number', { 'retry-after': 'Sun, 22 Nov 2026 12:00:05 GMT,9' }, 9],
    ['an obsolete date', { 'retry-after': 'Sunday, 22-Nov-26 12:00:04 GMT' }, 4],
    ['absurd, but a wait', { 'retry-after': '99999999' }, 99_999_999],
    ['a past date', { 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }, undefined],
    ['negative', { 'retry-after': '-5' }, undefined],
    ['zero', { 'retry-after': '0' }, undefined],
    ['junk', { 'retry-after': 'abc' }, undefined],
    ['hexadecimal', { 'retry-after': '0x10' }, undefined],
    ['with an exponent', { 'retry-after': '1e3' }, undefined],
    ['empty', { 'retry-after': '' }, undefined],
    ['absent', {}, undefined],
  ])('%s', (_name, headers, seconds) => {
    expect(parseRetryAfter((name) => headers[name] ?? null, wall)).toBe(seconds)
  })
})

describe('backoffMs', () => {
  it('spreads over the whole range up to a doubling ceiling, at most a minute', () => {
    expect([1, 2, 3, 7, 50].map((failures) => computeBackoffMs(failures, 1))).toEqual([
      1000, 2000, 4000, 60_000, 60_000,
    ])
    expect(computeBackoffMs(3, 0.5)).toBe(2000)
  })

  it('never becomes a spin', () => {
    expect(computeBackoffMs(1, 0)).toBeGreaterThan(0)
  })
})
