import { AskError } from '../core/errors/ask-error.ts'
import { parseRetryAfter } from '../core/errors/parse-retry-after.ts'
import { getBaseUrlSetting, type RequestError } from '../core/errors/request-error.ts'
import { parseRateLimits } from '../core/rate-limit/parse-rate-limits.ts'
import { truncate } from '../core/text/truncate.ts'
import { createCredentialsError } from './credentials-error.ts'
import type { Deadline } from './deadline.ts'
import { findStatusForType, parseErrorBody } from './error-body.ts'
import { stripMarkup } from './strip-markup.ts'
import { readRequestId } from './wire-values.ts'

/** The idle timeout, and the name of its setting. */
interface IdleTimeout {
  readonly ms: number
  readonly setting: string
}

export interface RequestErrorOptions {
  /** The current time in milliseconds since 1970. */
  readonly wallMs: number
  readonly deadline: Pick<Deadline, 'hasExpired' | 'ms'>
  readonly idleTimeout: IdleTimeout
  /** The base URL in use. */
  readonly baseUrl: string
  /** What sets the base URL, if it is not the variable `ANTHROPIC_BASE_URL`. */
  readonly baseUrlSetting?: string
  /** Removes secrets. Runs before a text is truncated, because half a secret would not be recognized. */
  readonly redact: (text: string) => string
}

/**
 * Converts an error of the SDK, undici or the system into a request error. Errors are recognized by their
 * shape and their causes, never by their class: a client of another package brings its own copy of the SDK.
 * @throws the error itself if it is a bug and not a request error
 */
export function toRequestError(error: unknown, options: RequestErrorOptions): RequestError {
  const { deadline, idleTimeout } = options
  if (deadline.hasExpired())
    return {
      kind: 'timeout',
      type: 'total_timeout',
      message: `no complete answer within ${formatSeconds(deadline.ms)}`,
    }
  if (error instanceof AskError) return error.requestError
  // The SDK wraps the error of a key command.
  const askError = listCauses(error).find((cause) => cause instanceof AskError)
  if (askError !== undefined) return askError.requestError
  if (isStatusError(error)) return parseStatusError(error, options)
  const causeChain = listCauses(error)
  const code = causeChain.map(({ code }) => code).find((code) => typeof code === 'string')
  const message = causeChain.map(({ message }) => message).findLast((message) => message) ?? 'unknown error'
  const unsent = causeChain.some(({ unsent }) => unsent) ? ({ isUnsent: true } as const) : {}
  if (!unsent.isUnsent && idleTimeoutCodes.has(code ?? '')) {
    const idleMessage = `received no data for ${formatSeconds(idleTimeout.ms)}; if replies take longer, raise ${idleTimeout.setting}`
    return { kind: 'timeout', type: 'timeout', message: idleMessage, code: code ?? '' }
  }
  if (isSdkTimeout(error) || timeoutCodes.has(code ?? '')) {
    return { kind: 'timeout', type: 'timeout', message, ...(code !== undefined && { code }), ...unsent }
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    return { kind: 'malformed', type: 'reply_too_large', message: 'the reply is far longer than any summary' }
  // An `event: error` in a stream has a body, but no status.
  if (isSdkError(error) && error.error !== undefined) return parseStreamError(error.error)
  if (code !== undefined && decodingErrorCode.test(code))
    return {
      kind: 'malformed',
      type: 'malformed_reply',
      message: `the compressed reply cannot be decoded: ${message}`,
    }
  if (code !== undefined) {
    const kind = tlsErrorCode.test(code) ? 'tls' : 'connection'
    return {
      kind,
      type: `${kind}_error`,
      code,
      message: message.includes(code) ? message : `${message} (${code})`,
      ...unsent,
    }
  }
  // V8 quotes a few characters of the text, which may be part of a key.
  if (causeChain.some((cause) => cause instanceof SyntaxError))
    return { kind: 'malformed', type: 'malformed_reply', message: 'the reply broke off or is not JSON' }
  if (causeChain.some(({ message }) => /without|terminated|JSON|broke off/i.test(message)))
    return {
      kind: 'malformed',
      type: 'malformed_reply',
      // The client of Bedrock quotes the text of the reply.
      message: `the reply broke off: ${message.replace(/^(Could not parse a Bedrock chunk).*/s, '$1')}`,
    }
  if (isSdkError(error)) return { kind: 'connection', type: 'connection_error', message, ...unsent }
  if (isSdkCredentialsError(error))
    return createCredentialsError(error, 'the credentials of the profile', 'sign in again').requestError
  // This is a bug and not a network error, so it must keep its stack.
  throw error
}

/** An error of the SDK about a response, or about its absence: then `status` is undefined. */
interface SdkError extends Error {
  readonly status: number | undefined
  readonly headers: { get(name: string): string | null } | undefined
  /** The body of the response, or of an `event: error` in a stream. */
  readonly error: unknown
}

type StatusError = SdkError & { readonly status: number }

/** Whether an error has the fields of the SDK's `APIError`. */
function isSdkError(error: unknown): error is SdkError {
  return error instanceof Error && 'status' in error && 'headers' in error && 'error' in error
}

function isStatusError(error: unknown): error is StatusError {
  return isSdkError(error) && typeof error.status === 'number'
}

/** Whether the SDK could not read or renew the credentials of a profile. Its other errors are `SdkError`s. */
function isSdkCredentialsError(error: unknown): boolean {
  return error instanceof Error && /^(AnthropicError|WorkloadIdentityError)$/.test(error.name)
}

/** The SDK's own timeout has no cause and no code, so only its text distinguishes it. */
function isSdkTimeout(error: unknown): boolean {
  return isSdkError(error) && error.status === undefined && error.message === 'Request timed out.'
}

function parseStatusError(error: StatusError, options: RequestErrorOptions): RequestError {
  const { wallMs, redact, baseUrl } = options
  const header = (name: string) => error.headers?.get(name) ?? null
  const sentStatus = error.status
  const body = parseErrorBody(error.error, header)
  // A gateway may send an API error with status 200, or change its status to 500 or 502.
  const status =
    isAmbiguousStatus(sentStatus) && body.isFromApi
      ? (findStatusForType(body.type) ?? sentStatus)
      : sentStatus
  const requestId = readRequestId(header) ?? body.requestId
  const wait = parseRetryAfter(header, wallMs)
  const shouldRetry = header('x-should-retry')
  const limits = parseRateLimits(header)
  return {
    kind: 'status',
    status,
    type: body.type ?? `http_${status}`,
    message:
      describeRedirect(sentStatus, header('location'), options) ??
      body.message ??
      extractPageText(error, redact),
    ...(!body.isFromApi && {
      nonApiResponse: {
        host: new URL(baseUrl).host,
        contentType: header('content-type') ?? 'no content type',
      },
    }),
    ...(body.code !== undefined && { code: body.code }),
    ...(requestId !== undefined && { requestId }),
    ...(wait !== undefined && { retryAfterSeconds: wait }),
    ...(limits !== undefined && { limits }),
    ...((shouldRetry === 'true' || shouldRetry === 'false') && { shouldRetry: shouldRetry === 'true' }),
  }
}

function isAmbiguousStatus(status: number): boolean {
  return status < 300 || (status >= 500 && status <= 503)
}

/** An error without a readable type is transient: nothing shows that the request is wrong. */
function parseStreamError(body: unknown): RequestError {
  const { type, message = 'an error without a message', code, requestId } = parseErrorBody(body)
  if (type === undefined)
    return { kind: 'malformed', type: 'malformed_reply', message: 'an error in the stream cannot be read' }
  return {
    kind: 'stream',
    type,
    message,
    ...(code !== undefined && { code }),
    ...(requestId !== undefined && { requestId }),
  }
}

function describeRedirect(
  status: number,
  location: string | null,
  options: RequestErrorOptions,
): string | undefined {
  if (status < 300 || status >= 400) return undefined
  return `redirected to ${location ?? 'nowhere'}; requests are not sent on to another address (check ${getBaseUrlSetting(options)})`
}

/** Returns the beginning of a proxy's page, without markup. */
function extractPageText({ message, status }: StatusError, redact: RequestErrorOptions['redact']): string {
  const text = redact(stripMarkup(message.replace(/^\d+ /, '')))
    .replace(/\s+/g, ' ')
    .trim()
  return text === '' || text === 'status code (no body)'
    ? `HTTP status ${status} without a message`
    : truncate(text, 200)
}

interface Cause extends Error {
  readonly code?: string
  readonly unsent?: true
}

function listCauses(error: unknown): Cause[] {
  const chain: Cause[] = []
  for (let cause = error; cause instanceof Error && chain.length < 8; cause = cause.cause) {
    chain.push(cause)
    // Happy Eyeballs: one error for all attempted addresses.
    if (cause instanceof AggregateError && cause.errors[0] instanceof Error) chain.push(cause.errors[0])
  }
  return chain
}

function formatSeconds(ms: number): string {
  return `${ms / 1000} s`
}

const idleTimeoutCodes: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])
const timeoutCodes: ReadonlySet<string> = new Set([
  ...idleTimeoutCodes,
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
])

/** Error codes of zlib and Brotli. */
const decodingErrorCode = /^(Z_|ERR__|ERR_BROTLI)/

/** A wrong certificate or protocol stays wrong, so these errors are not retried. */
const tlsErrorCode =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(VERIFY|GET_ISSUER)|HOSTNAME_MISMATCH|EPROTO)/
