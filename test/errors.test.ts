import { describe, expect, it } from 'vitest'
import { AskError } from '../src/core/errors/ask-error.ts'
import {
  AccountError,
  BatchError,
  type RunError,
  UnknownBatchError,
  UnknownPriceError,
  UnreachableError,
  WaitTooLongError,
} from '../src/core/errors/run-error.ts'
import { type Ending, type Exit, ExitError, toEnding } from '../src/errors.ts'
import { createStatusError } from './support/scripted-ask.ts'

const refusedBatches = new AskError({
  ...createStatusError(400, { code: 'workspace_human_review_disabled' }),
  operation: 'batches',
})

describe('toEnding', () => {
  it.each<[string, RunError, Exit, RegExp]>([
    ['an ExitError', new ExitError('locked', 'in use'), 'locked', /^in use$/],
    ['an unknown price', new UnknownPriceError('m'), 'usage', /^--max-cost cannot .*--prices$/],
    [
      'a wait that is too long',
      new WaitTooLongError(undefined, 0, 1000, 'busy'),
      'temporaryFailure',
      /--max-wait 1 s.*later$/,
    ],
    ['an unreachable API', new UnreachableError('no route'), 'temporaryFailure', /no route; run .*later$/],
    [
      'an account that may not use batches',
      accountError(refusedBatches),
      'serviceRefused',
      /; run without --batch,/,
    ],
    [
      'a refused key',
      accountError(new AskError(createStatusError(401))),
      'serviceRefused',
      /; check the key$/,
    ],
    [
      'an unknown batch',
      new UnknownBatchError('b1', '0123456789abcdef'),
      'serviceRefused',
      /batches cancel --id b1` gives it up/,
    ],
    ['a batch with a transient error', new BatchError('overdue', true), 'temporaryFailure', /^overdue$/],
    ['a batch with a permanent error', new BatchError('refused', false), 'serviceRefused', /^refused$/],
  ])('returns the exit code and the message for %s', (_, error, exit, text) => {
    expect(toEnding(error)).toEqual<Ending>({ exit, text: expect.stringMatching(text) })
    // The library has no flags, so the errors themselves do not name any.
    if (!(error instanceof ExitError)) expect(error.message).not.toMatch(/--[a-z]/)
  })
})

function accountError(error: AskError): AccountError {
  return new AccountError(error, 'claude-haiku-4-5', 'https://api.example')
}
