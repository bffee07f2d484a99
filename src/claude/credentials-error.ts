import { AskError } from '../core/errors/ask-error.ts'
import { truncate } from '../core/text/truncate.ts'
import { stripMarkup } from './strip-markup.ts'

/**
 * Creates the error for credentials that cannot be read or renewed. Nothing was sent to the API. If the server
 * that issues them cannot be reached or fails, the error is transient.
 * @param source where the credentials should come from, such as `the AWS credentials`
 * @param advice what the user can do, as an imperative
 */
export function createCredentialsError(error: unknown, source: string, advice: string): AskError {
  const causes = listCauses(error)
  const message = `${source} cannot be used: ${describeError(causes)}; ${advice}`
  const code = causes.map(({ code }) => code).find((code) => typeof code === 'string')
  return new AskError(
    causes.some(isTemporary)
      ? { kind: 'connection', type: 'connection_error', message, isUnsent: true, ...(code && { code }) }
      : { kind: 'credentials', type: 'credentials_error', message },
  )
}

/** Returns the text of an error on one line. Some packages add a stack or a page to their messages. */
function describeError(causes: readonly Cause[]): string {
  // V8 quotes a few characters of the text, which may be part of a key.
  if (causes.some((cause) => cause instanceof SyntaxError)) return 'a file or an answer is not valid JSON'
  // An error of the connection is wrapped twice.
  const messages = causes.map(({ message }) => message)
  const message =
    messages.find((text) => !['', 'no response', 'request failed'].includes(text)) ?? 'unknown error'
  const text = stripMarkup(message).replace(/\s+/g, ' ').trim().replace(/\.$/, '')
  return truncate(text === '' ? 'unknown error' : text, 300)
}

/** The fields that the libraries of AWS, Google and the system set. */
interface Cause extends Error {
  readonly code?: string
  /** Set by this client if there was no connection. */
  readonly unsent?: true
  readonly status?: unknown
  readonly statusCode?: unknown
  readonly $fault?: unknown
  readonly $metadata?: { readonly httpStatusCode?: unknown }
}

function listCauses(error: unknown): readonly Cause[] {
  const causes: Cause[] = []
  for (let cause = error; cause instanceof Error && causes.length < 8; cause = cause.cause) causes.push(cause)
  return causes
}

/** Whether the service that issues credentials could not be reached, is busy or has a problem. */
function isTemporary({ name, code, unsent, status, statusCode, $fault, $metadata }: Cause): boolean {
  return (
    (typeof code === 'string' && temporaryCodes.has(code)) ||
    unsent === true ||
    $fault === 'server' ||
    /throttl|too ?many ?requests|timeout/i.test(name) ||
    [status, statusCode, $metadata?.httpStatusCode].some(
      (status) => typeof status === 'number' && (status === 429 || status >= 500),
    )
  )
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
