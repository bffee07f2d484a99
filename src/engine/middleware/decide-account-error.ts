import type { AskError } from '../../core/errors/ask-error.ts'
import { type AccountErrorContext, resolveAccountError } from '../../core/errors/resolve-account-error.ts'

/** During this delay, other documents show whether they are refused too. */
const secondTryDelayMs = 1000

/** Decides how to continue after a refusal that would end the run. */
export function decideAccountError(
  error: AskError,
  context: Omit<AccountErrorContext, 'requestError'>,
): AskError {
  const { requestError } = error
  const decision = resolveAccountError({ requestError, ...context })
  if (decision === 'account') return error
  if (decision === 'document')
    return error.with({ requestError: { ...requestError, isDocumentSpecific: true } })
  return error.with({ retryPlan: { isUncounted: true, isSecondTry: true, waitMs: secondTryDelayMs } })
}
