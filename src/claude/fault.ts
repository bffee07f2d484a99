import { AnthropicError, APIConnectionError, APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk'
import { AskError } from '../core/errors/ask-error.ts'
import type { Fault } from '../core/errors/request-error.ts'
import { retryAfter } from '../core/errors/retry-after.ts'
import { rateLimits } from '../core/rate-limit/rate-limit-headers.ts'
import { truncate } from '../core/text/truncate.ts'
import type { Deadline } from './deadline.ts'
import { parseErrorBody, statusOfType } from './error-body.ts'
import { withoutMarkup } from './strip-markup.ts'

/** How long a connection may be silent, and the name of the setting that says so. */
interface Idle {
  readonly ms: number
  readonly setting: string
}

export interface FaultOptions {
  /** The wall clock: milliseconds since 1970. */
  readonly wallMs: number
  readonly deadline: Deadline
  readonly idle: Idle
  /** The base URL that was asked. */
  readonly endpoint: string
  /** Removes secrets; needed before a text is cut, as half a secret is not recognized. */
  readonly redact: (text: string) => string
}

/**
 * Returns what went wrong, from an error of the SDK, of undici or of the system. Classes alone do not tell: causes do.
 * @throws the error itself where it is about no request, but a bug
 */
export function faultOf(error: unknown, options: FaultOptions): Fault {
  const { deadline, idle } = options
  if (deadline.expired())
    return {
      kind: 'timeout',
      type: 'total_timeout',
      message: `no complete answer within ${seconds(deadline.ms)}`,
    }
  if (error instanceof AskError) return error.fault
  if (error instanceof APIError && error.status !== undefined) return statusFault(error, options)
  const chain = causes(error)
  const code = chain.map(({ code }) => code).find((code) => typeof code === 'string')
  const message = chain.map(({ message }) => message).findLast((message) => message) ?? 'unknown error'
  const unsent = chain.some(({ unsent }) => unsent) ? ({ unsent: true } as const) : {}
  if (!unsent.unsent && idleTimeouts.has(code ?? '')) {
    const silence = `nothing came for ${seconds(idle.ms)}; if answers take longer, raise ${idle.setting}`
    return { kind: 'timeout', type: 'timeout', message: silence, code: code ?? '' }
  }
  if (error instanceof APIConnectionTimeoutError || timeouts.has(code ?? '')) {
    return { kind: 'timeout', type: 'timeout', message, ...(code !== undefined && { code }), ...unsent }
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    return { kind: 'malformed', type: 'reply_too_large', message: 'the reply is far longer than any summary' }
  // An `event: error` inside a stream: no status any more, but a body.
  if (error instanceof APIError && error.error !== undefined) return streamFault(error.error)
  if (code !== undefined && badEncoding.test(code))
    return {
      kind: 'malformed',
      type: 'malformed_reply',
      message: `the compressed reply cannot be decoded: ${message}`,
    }
  if (code !== undefined) {
    const kind = tlsCode.test(code) ? 'tls' : 'connection'
    return {
      kind,
      type: `${kind}_error`,
      code,
      message: message.includes(code) ? message : `${message} (${code})`,
      ...unsent,
    }
  }
  // V8 quotes a few characters of the text, which may be of a key.
  if (chain.some((cause) => cause instanceof SyntaxError))
    return { kind: 'malformed', type: 'malformed_reply', message: 'the reply broke off or is not JSON' }
  if (chain.some(({ message }) => /without|terminated|JSON/i.test(message)))
    return { kind: 'malformed', type: 'malformed_reply', message: `the reply broke off: ${message}` }
  if (error instanceof APIConnectionError)
    return { kind: 'connection', type: 'connection_error', message, ...unsent }
  // The SDK's own word for a body it can make nothing of.
  if (error instanceof AnthropicError) return { kind: 'malformed', type: 'malformed_reply', message }
  // Not a fault of the wire: a bug of ours, which must show its stack.
  throw error
}

type StatusError = InstanceType<typeof APIError>

function statusFault(error: StatusError, { wallMs, redact, endpoint }: FaultOptions): Fault {
  const header = (name: string) => error.headers?.get(name) ?? null
  const sent = error.status as number
  const body = parseErrorBody(error.error)
  // A gateway may send an error of the API with a 200, or turn it into a 500 or a 502.
  const status = isVague(sent) && body.isFromApi ? (statusOfType(body.type) ?? sent) : sent
  const requestId = error.requestID ?? body.requestId
  const wait = retryAfter(header, wallMs)
  const should = header('x-should-retry')
  const limits = rateLimits(header)
  return {
    kind: 'status',
    status,
    type: body.type ?? `http_${status}`,
    message: redirectTarget(sent, header('location')) ?? body.message ?? pageText(error, redact),
    ...(!body.isFromApi && {
      page: { host: new URL(endpoint).host, contentType: header('content-type') ?? 'no content type' },
    }),
    ...(body.code !== undefined && { code: body.code }),
    ...(requestId !== undefined && { requestId }),
    ...(wait !== undefined && { retryAfter: wait }),
    ...(limits !== undefined && { limits }),
    ...((should === 'true' || should === 'false') && { shouldRetry: should === 'true' }),
  }
}

function isVague(status: number): boolean {
  return status < 300 || (status >= 500 && status <= 503)
}

/** An error without a type that can be read is taken to pass: nothing says that the request is wrong. */
function streamFault(body: unknown): Fault {
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

function redirectTarget(status: number, location: string | null): string | undefined {
  if (status < 300 || status >= 400) return undefined
  return `redirected to ${location ?? 'nowhere'}; documents are not sent on to another address (check ANTHROPIC_BASE_URL)`
}

/** The beginning of a proxy's page, without its markup. */
function pageText({ message, status }: StatusError, redact: FaultOptions['redact']): string {
  const text = redact(withoutMarkup(message.replace(/^\d+ /, '')))
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

function causes(error: unknown): Cause[] {
  const chain: Cause[] = []
  for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) {
    chain.push(at)
    // Happy Eyeballs: one error for all addresses that were tried.
    if (at instanceof AggregateError && at.errors[0] instanceof Error) chain.push(at.errors[0])
  }
  return chain
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}

const idleTimeouts: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])
const timeouts: ReadonlySet<string> = new Set([...idleTimeouts, 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'])

/** Codes of zlib and Brotli. */
const badEncoding = /^(Z_|ERR__|ERR_BROTLI)/

/** A certificate or a protocol that is wrong now will be wrong again. */
const tlsCode =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(VERIFY|GET_ISSUER)|HOSTNAME_MISMATCH|EPROTO)/
