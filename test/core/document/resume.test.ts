import { describe, expect, it } from 'vitest'
import { isSafeRelativePath } from '../../../src/core/document/output-path.ts'
import { checkOverwrite, type OutputFileState } from '../../../src/core/document/overwrite-policy.ts'
import { createFailFastCheck } from '../../../src/core/errors/fail-fast-check.ts'
import type { Failure } from '../../../src/core/errors/failure.ts'
import { isOlderPromptVersion } from '../../../src/core/request/prompt-version.ts'
import type { Outcome } from '../../../src/core/run/outcome.ts'

describe('checkOverwrite', () => {
  const decision = (same: boolean, place: OutputFileState, force = false) => {
    const problem = checkOverwrite(same, place, force)
    return problem === undefined ? 'ask' : `${problem.action} ${problem.type}`
  }
  it.each<[OutputFileState, string, string, string | undefined]>([
    // The state of the file: the same request, another request, --force.
    ['missing', 'ask', 'ask', 'ask'],
    ['deleted', 'ask', 'ask', 'ask'],
    ['unmodified', 'skip unchanged', 'ask', undefined],
    ['modified', 'skip modified', 'fail modified', 'ask'],
    ['untracked', 'fail untracked', 'fail untracked', 'ask'],
    ['directory', 'fail in_the_way', 'fail in_the_way', 'fail in_the_way'],
  ])('decides what to do about a file that is %s', (place, same, other, forced) => {
    expect([decision(true, place), decision(false, place)]).toEqual([same, other])
    // What was neither edited nor written by somebody else needs no permission.
    const decisions = forced === undefined ? [same, other] : [forced, forced]
    expect([decision(true, place, true), decision(false, place, true)]).toEqual(decisions)
  })
})

describe('the breaker', () => {
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
  const trips = (outcomes: readonly Outcome[]) => {
    const breaker = createFailFastCheck()
    return outcomes.map((outcome) => breaker(outcome) !== undefined)
  }

  it('trips once, at the fifth document with the same permanent error from the service', () => {
    const same = Array.from({ length: 7 }, () => failed('no'))
    expect(trips(same)).toEqual([false, false, false, false, true, false, false])
    expect(trips([skipped, ...same.slice(0, 4), skipped, failed('no')]).at(-1)).toBe(true)
  })

  it.each([413, 429])('does not trip where the first documents are all too long, by a %d', (kind) => {
    const message = 'Extra usage is required for long context requests'
    const tooLong = failed(message, { kind, type: 'rate_limit_error' })
    expect(trips(Array.from({ length: 9 }, () => tooLong))).not.toContain(true)
  })

  it.each<[string, Outcome]>([
    ['a success', done],
    ['another error', failed('yes')],
    ['an error that may pass', failed('no', { transient: true })],
    ['an error of the document itself', failed('no', { kind: 'input' })],
    ['a document that is too long', failed('too large', { kind: 413 })],
  ])('never trips after %s', (_name, first) => {
    expect(trips([first, ...Array.from({ length: 9 }, () => failed('no'))])).not.toContain(true)
  })
})

describe('names that come from a file', () => {
  it.each(['a.md', 'docs/a..b.md', './-', 'x/.hidden'])('%s stays below', (name) =>
    expect(isSafeRelativePath(name)).toBe(true),
  )
  it.each(['/etc/x', '../x', 'a/../../x', '', 5, undefined])('%s does not, or is none', (name) =>
    expect(isSafeRelativePath(name)).toBe(false),
  )
  it.each(['C:/x', 'C:\\x', '..\\x', '\\\\host\\x', '\\x', 'q:answers.md', 'a\\..\\b'])(
    '%s leads elsewhere on Windows alone',
    (name) => expect([isSafeRelativePath(name, '\\'), isSafeRelativePath(name, '/')]).toEqual([false, true]),
  )
})

describe('isOlder', () => {
  it.each([
    ['p@v9', 'p@v10', true],
    ['p@v10', 'p@v9', false],
    ['p@v1', 'p@v1', false],
    ['q@v1', 'p@v2', false],
    ['a@b@v1', 'a@b@v2', true],
  ])('%s before %s: %s', (one, other, older) => expect(isOlderPromptVersion(one, other)).toBe(older))
})
