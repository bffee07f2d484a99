import { describe, expect, it } from 'vitest'
import { parseRetryAfter } from '../../../src/core/errors/parse-retry-after.ts'
import { computeBackoffMs } from '../../../src/core/rate-limit/backoff.ts'

const wall = Date.parse('2026-11-22T12:00:00Z')

describe('parseRetryAfter', () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ['a number of seconds', { 'retry-after': '2' }, 2],
    ['a fraction of seconds', { 'retry-after': '1.5' }, 1.5],
    [
      'both headers, of which milliseconds take precedence',
      { 'retry-after-ms': '200', 'retry-after': '30' },
      0.2,
    ],
    ['a date, relative to the local clock', { 'retry-after': 'Sun, 22 Nov 2026 12:00:03 GMT' }, 3],
    [
      'a date, relative to the date header of the response',
      { 'retry-after': 'Sun, 22 Nov 2026 13:00:03 GMT', date: 'Sun, 22 Nov 2026 13:00:00 GMT' },
      3,
    ],
    ['two headers, of which the longer wait counts', { 'retry-after': '2, 5' }, 5],
    ['two headers joined without a space', { 'retry-after': '1,3' }, 3],
    ['two headers, one of them invalid', { 'retry-after': 'abc,-4, 3' }, 3],
    ['two headers of milliseconds', { 'retry-after-ms': '100, 300' }, 0.3],
    ['a number and a date', { 'retry-after': '2, Sun, 22 Nov 2026 12:00:05 GMT' }, 5],
    ['a date and a number', { 'retry-after': 'Sun, 22 Nov 2026 12:00:05 GMT,9' }, 9],
    ['an obsolete date', { 'retry-after': 'Sunday, 22-Nov-26 12:00:04 GMT' }, 4],
    ['an absurdly long but valid wait', { 'retry-after': '99999999' }, 99_999_999],
    ['a past date', { 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }, undefined],
    ['a negative number', { 'retry-after': '-5' }, undefined],
    ['zero', { 'retry-after': '0' }, undefined],
    ['a word', { 'retry-after': 'abc' }, undefined],
    ['a hexadecimal number', { 'retry-after': '0x10' }, undefined],
    ['a number with an exponent', { 'retry-after': '1e3' }, undefined],
    ['an empty header', { 'retry-after': '' }, undefined],
    ['no header', {}, undefined],
  ])('parses %s', (_name, headers, seconds) => {
    expect(parseRetryAfter((name) => headers[name] ?? null, wall)).toBe(seconds)
  })
})

describe('computeBackoffMs', () => {
  it('returns a wait between zero and a doubling ceiling of at most a minute', () => {
    expect([1, 2, 3, 7, 50].map((failures) => computeBackoffMs(failures, 1))).toEqual([
      1000, 2000, 4000, 60_000, 60_000,
    ])
    expect(computeBackoffMs(3, 0.5)).toBe(2000)
  })

  it('never returns zero, so that retries never become a busy loop', () => {
    expect(computeBackoffMs(1, 0)).toBeGreaterThan(0)
  })
})
