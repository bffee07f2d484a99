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

describe('the table of endings', () => {
  it.each<[string, RunError, Exit, RegExp]>([
    ['an exit of a command as it is', new ExitError('locked', 'in use'), 'locked', /^in use$/],
    ['an unknown price', new UnknownPriceError('m'), 'usage', /^--max-cost cannot .*--prices$/],
    [
      'too long a wait',
      new WaitTooLongError(undefined, 0, 1000, 'busy'),
      'temporaryFailure',
      /--max-wait 1 s.*later$/,
    ],
    [
      'an unreachable service',
      new UnreachableError('no route'),
      'temporaryFailure',
      /no route; run .*later$/,
    ],
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
      new UnknownBatchError('b1'),
      'serviceRefused',
      /batches cancel --id b1` gives it up/,
    ],
    ['a batch that fails for now', new BatchError('overdue', true), 'temporaryFailure', /^overdue$/],
    ['a batch that fails for good', new BatchError('refused', false), 'serviceRefused', /^refused$/],
  ])('has an exit code and a text for %s', (_, error, exit, text) => {
    expect(toEnding(error)).toEqual<Ending>({ exit, text: expect.stringMatching(text) })
    // Other callers than the command line have no flags.
    if (!(error instanceof ExitError)) expect(error.message).not.toMatch(/--[a-z]/)
  })
})

function accountError(error: AskError): AccountError {
  return new AccountError(error, 'claude-haiku-4-5', 'https://api.example')
}
