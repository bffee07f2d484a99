import { describe, expect, it } from 'vitest'
import { createFailFastCheck } from '../../../src/core/errors/fail-fast-check.ts'
import type { Failure } from '../../../src/core/errors/failure.ts'
import type { Outcome } from '../../../src/core/run/outcome.ts'

describe('createFailFastCheck', () => {
  const failed = (message: string, fields: Partial<Failure> = {}): Outcome => ({
    document: { index: 0, path: 'a', namedByUser: true },
    attempts: [],
    elapsedMs: 0,
    status: 'failed',
    failure: { kind: 400, type: 'invalid_request_error', message, transient: false, ...fields },
  })
  const { document, attempts, elapsedMs } = failed('')
  const done: Outcome = {
    ...{ document, attempts, elapsedMs },
    requestMetadata: {
      requestHash: 'k',
      fingerprint: { size: 1, sha256: 's' },
      characters: 1,
      kind: 'prose' as const,
    },
    status: 'summarized',
    text: 'x',
  }
  const skipped: Outcome = {
    ...{ document, attempts, elapsedMs },
    status: 'skipped',
    type: 'empty',
    reason: '',
  }
  const runCheck = (outcomes: readonly Outcome[]) => {
    const check = createFailFastCheck()
    return outcomes.map((outcome) => check(outcome) !== undefined)
  }

  it('fails once, at the fifth document with the same permanent API error', () => {
    const same = Array.from({ length: 7 }, () => failed('no'))
    expect(runCheck(same)).toEqual([false, false, false, false, true, false, false])
    expect(runCheck([skipped, ...same.slice(0, 4), skipped, failed('no')]).at(-1)).toBe(true)
  })

  it.each([413, 429])('does not fail when the first documents are all too long for the API (%d)', (kind) => {
    const message = 'Extra usage is required for long context requests'
    const tooLong = failed(message, { kind, type: 'rate_limit_error' })
    expect(runCheck(Array.from({ length: 9 }, () => tooLong))).not.toContain(true)
  })

  it.each<[string, Outcome]>([
    ['a success', done],
    ['another error', failed('yes')],
    ['a transient error', failed('no', { transient: true })],
    ['an error of the document itself', failed('no', { kind: 'input' })],
    ['a document that is too long', failed('too large', { kind: 413 })],
  ])('never fails after %s', (_name, first) => {
    expect(runCheck([first, ...Array.from({ length: 9 }, () => failed('no'))])).not.toContain(true)
  })
})
