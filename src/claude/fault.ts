import { AnthropicError, APIConnectionError, APIConnectionTimeoutError, APIError } from '@anthropic-ai/sdk'
import { AskError, type Fault } from '../core/failure.ts'
import { rateLimits } from '../core/rate-limits.ts'
import { retryAfter } from '../core/retry-after.ts'
import type { Deadline } from './deadline.ts'

/** Reads off an error of the SDK, of undici or of the system what went wrong. Classes alone do not tell: causes do. */
export function faultOf(error: unknown, wallMs: number, deadline: Deadline): Fault {
  if (deadline.expired())
    return { kind: 'timeout', type: 'timeout', message: `no complete answer within ${deadline.ms / 1000} s` }
  if (error instanceof AskError) return error.fault
  if (error instanceof APIError && error.status !== undefined) return statusFault(error, wallMs)
  const chain = causes(error)
  const code = chain.map(({ code }) => code).find((code) => typeof code === 'string')
  const message = chain.map(({ message }) => message).findLast((message) => message) ?? 'unknown error'
  if (error instanceof APIConnectionTimeoutError || timeouts.has(code ?? '')) {
    return { kind: 'timeout', type: 'timeout', message, ...(code !== undefined && { code }) }
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
    return { kind: 'malformed', type: 'reply_too_large', message: 'the reply is far longer than any summary' }
  // An `event: error` inside a stream: no status any more, but a type.
  if (error instanceof APIError && error.type)
    return { kind: 'stream', type: error.type, message: error.apiMessage ?? message }
  if (code !== undefined) {
    const kind = tlsCode.test(code) ? 'tls' : 'connection'
    return {
      kind,
      type: `${kind}_error`,
      code,
      message: message.includes(code) ? message : `${message} (${code})`,
    }
  }
  if (error instanceof SyntaxError || chain.some(({ message }) => /without|terminated|JSON/i.test(message))) {
    return {
      kind: 'malformed',
      type: 'malformed_reply',
      message: `the reply broke off or is not JSON: ${message}`,
    }
  }
  if (error instanceof APIConnectionError) return { kind: 'connection', type: 'connection_error', message }
  // The SDK's own word for a body it can make nothing of.
  if (error instanceof AnthropicError) return { kind: 'malformed', type: 'malformed_reply', message }
  // Not a fault of the wire: a bug of ours, which must show its stack.
  throw error
}

type StatusError = InstanceType<typeof APIError>

function statusFault(error: StatusError, wallMs: number): Fault {
  const header = (name: string) => error.headers?.get(name) ?? null
  const status = error.status as number
  const wait = retryAfter(header, wallMs)
  const should = header('x-should-retry')
  const code = error.errorCode
  const limits = rateLimits(header)
  return {
    kind: 'status',
    status,
    type: error.type ?? `http_${status}`,
    message: redirectTarget(status, header('location')) ?? error.apiMessage ?? bodyText(error),
    ...(code !== null && { code }),
    ...(error.requestID != null && { requestId: error.requestID }),
    ...(wait !== undefined && { retryAfter: wait }),
    ...(limits !== undefined && { limits }),
    ...((should === 'true' || should === 'false') && { shouldRetry: should === 'true' }),
  }
}

function redirectTarget(status: number, location: string | null): string | undefined {
  if (status < 300 || status >= 400) return undefined
  return `redirected to ${location ?? 'nowhere'}; documents are not sent on to another address (check ANTHROPIC_BASE_URL)`
}

/** A proxy's page, without its markup. */
function bodyText({ message, status }: StatusError): string {
  const text = message
    .slice(0, longestPage)
    .replace(/^\d+ /, '')
    .replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return text === '' || text === 'status code (no body)'
    ? `HTTP status ${status} without a message`
    : text.slice(0, 200)
}

/** Taking the markup out takes time that grows with the square of the length, where none of it is ever closed. */
const longestPage = 10_000

function causes(error: unknown): (Error & { code?: string })[] {
  const chain: (Error & { code?: string })[] = []
  for (let at = error; at instanceof Error && chain.length < 8; at = at.cause) {
    chain.push(at)
    // Happy Eyeballs: one error for all addresses that were tried.
    if (at instanceof AggregateError && at.errors[0] instanceof Error) chain.push(at.errors[0])
  }
  return chain
}

const timeouts: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
])

/** A certificate or a protocol that is wrong now will be wrong again. */
const tlsCode =
  /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(VERIFY|GET_ISSUER)|HOSTNAME_MISMATCH|EPROTO)/
