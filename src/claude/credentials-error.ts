import { AskError } from '../core/errors/ask-error.ts'
import { truncate } from '../core/text/truncate.ts'

/**
 * Creates the error for credentials that cannot be read or renewed. Nothing was sent to the API. If the server
 * that issues them cannot be reached or fails, the error is transient.
 * @param source where the credentials should come from, such as `the AWS credentials`
 * @param advice what the user can do, as an imperative
 */
export function createCredentialsError(error: unknown, source: string, advice: string): AskError {
  const causes = listCauses(error)
  const message = `${source} cannot be used: ${truncate(describeError(error), 300)}; ${advice}`
  const code = causes.map(({ code }) => code).find((code) => typeof code === 'string')
  const isTransient =
    (code !== undefined && temporaryCodes.has(code)) ||
    causes.some(({ status, statusCode }) => [status, statusCode].some(isTemporaryStatus)) ||
    causes.some(({ message }) => /failed to reach/i.test(message))
  return new AskError(
    isTransient
      ? { kind: 'connection', type: 'connection_error', message, isUnsent: true, ...(code && { code }) }
      : { kind: 'credentials', type: 'credentials_error', message },
  )
}

/** Returns the text of an error on one line. Some packages add a stack or HTML to their messages. */
function describeError(error: unknown): string {
  const message = listCauses(error)
    .map(({ message }) => message)
    .find((message) => message !== '')
  return (message ?? 'unknown error').replace(/\s+/g, ' ').trim().replace(/\.$/, '')
}

interface Cause extends Error {
  readonly code?: unknown
  readonly status?: unknown
  readonly statusCode?: unknown
}

function listCauses(error: unknown): readonly (Cause & { readonly code?: string })[] {
  const causes: (Cause & { readonly code?: string })[] = []
  for (let cause = error; cause instanceof Error && causes.length < 8; cause = cause.cause) causes.push(cause)
  return causes
}

function isTemporaryStatus(status: unknown): boolean {
  return typeof status === 'number' && (status === 429 || status >= 500)
}

const temporaryCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
])
