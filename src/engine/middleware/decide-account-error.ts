import { AskError } from '../../core/errors/ask-error.ts'
import { type AccountErrorContext, resolveAccountError } from '../../core/errors/resolve-account-error.ts'

/** During this delay, other documents show whether they are refused too. */
const secondTryDelayMs = 1000

/** Decides how to continue after a refusal that would end the run. */
export function decideAccountError(
  error: AskError,
  context: Omit<AccountErrorContext, 'requestError'>,
): AskError {
  const { requestError, attempts } = error
  const decision = resolveAccountError({ requestError, ...context })
  if (decision === 'account') return error
  if (decision === 'document') return new AskError({ ...requestError, isDocumentSpecific: true }, attempts)
  return new AskError(requestError, attempts, {
    isUncounted: true,
    isSecondTry: true,
    waitMs: secondTryDelayMs,
  })
}
