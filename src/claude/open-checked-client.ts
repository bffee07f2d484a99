import { AskError } from '../core/errors/ask-error.ts'
import { classifyError } from '../core/errors/classify-error.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { truncate } from '../core/text/truncate.ts'
import { ExitError, UsageError } from '../errors.ts'
import { normalizeBaseUrl } from './base-url.ts'
import type { OpenSdkClient, SdkClient, SdkClientContext } from './sdk-client.ts'

interface MessageOptions {
  /** A hint at the end of the message about missing credentials. */
  readonly noCredentialsHint: string
  /** Removes secrets from messages of the SDK. */
  readonly redact: (text: string) => string
}

/** There are no credentials, or only some that cannot be used. */
export class MissingCredentialsError extends UsageError {}

/**
 * Creates a client of the SDK and checks that it has credentials.
 * @returns the client, and the base URL as the client resolved it, perhaps with a user name and a password
 * @throws MissingCredentialsError, or UsageError for credentials that the service refuses
 * @throws ExitError `temporaryFailure` if the service that issues them fails
 */
export async function openCheckedClient(
  openSdkClient: OpenSdkClient,
  context: SdkClientContext,
  { noCredentialsHint, redact }: MessageOptions,
): Promise<{ readonly client: SdkClient; readonly url: string }> {
  let client: SdkClient
  try {
    client = await openSdkClient(context)
  } catch (error) {
    throw error instanceof AskError ? toStartError(error, redact) : error
  }
  try {
    // The only way to find out whether the SDK has credentials is to build a request, without sending it.
    const { url } = await client.buildRequest({ method: 'post', path: '/v1/messages', body: {} })
    return { client, url: normalizeBaseUrl(url) }
  } catch (error) {
    const { cause } = error as Error
    if (cause instanceof AskError) throw toStartError(cause, redact)
    throw new MissingCredentialsError(
      `${noCredentialsMessage}${noCredentialsHint}${explainProfileError(error as Error, redact)}`,
    )
  }
}

/** Converts an error about credentials, before anything is sent. */
function toStartError({ requestError }: AskError, redact: MessageOptions['redact']): Error {
  const message = escapeControlChars(redact(requestError.message))
  return classifyError(requestError) === 'transient'
    ? new ExitError('temporaryFailure', message)
    : new UsageError(message)
}

const noCredentialsMessage =
  'no credentials found: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN, or an Anthropic profile)'

/**
 * Explains why a profile cannot be used. Returns '' if there is no profile, which the message already says.
 */
function explainProfileError(error: Error, redact: (text: string) => string): string {
  if (error instanceof TypeError || /authentication method/i.test(error.message)) return ''
  return ` (${escapeControlChars(truncate(redact(error.message).replace(/\s+/g, ' '), 300))})`
}
