import { BaseAnthropic } from '@anthropic-ai/sdk'
import type { Dispatcher } from 'undici'
import type { BatchApi } from '../core/batch/batch-api.ts'
import type { Pdf } from '../core/document/document.ts'
import { AskError } from '../core/errors/ask-error.ts'
import { isUnreachable } from '../core/errors/request-error.ts'
import type { Ask } from '../core/request/ask.ts'
import type { Request } from '../core/request/request.ts'
import type { Clock } from '../core/run/clock.ts'
import { escapeControlChars } from '../core/text/escape-control-chars.ts'
import { findSecrets, stripAuthScheme } from '../core/text/find-secrets.ts'
import { createRedactor } from '../core/text/redact.ts'
import { truncate } from '../core/text/truncate.ts'
import { UsageError } from '../errors.ts'
import { readCredentials, stripUserInfo } from './api-environment.ts'
import { normalizeBaseUrl, normalizeRequestUrl } from './base-url.ts'
import { createBatchApi } from './batch-client.ts'
import { type Deadline, withDeadline } from './deadline.ts'
import { rejectPlainHttp } from './plain-http.ts'
import { readProxies } from './proxies.ts'
import { readMessageReply, readTokenCount } from './read-message.ts'
import { readStreamedReply } from './read-streamed-reply.ts'
import { toRequestError } from './to-request-error.ts'
import { type Connections, createConnections, sendRequest } from './transport.ts'
import { withRedaction } from './with-redaction.ts'

export interface ClaudeClientOptions {
  readonly clock: Clock
  /** Until a connection stands: milliseconds. */
  readonly connectTimeoutMs: number
  /** Between two signs of life, and until the first: milliseconds. */
  readonly idleTimeoutMs: number
  /** For one sending as a whole: milliseconds. */
  readonly totalTimeoutMs: number
  /** Names the credentials, the base URL and the proxies. Without a credential the SDK looks for a profile. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Hosts that may receive credentials without encryption; this machine and private addresses always may. */
  readonly allowHttp?: readonly string[]
  /** A server to use instead of what the environment says, with the key it takes; proxies do not apply to it. */
  readonly server?: { readonly url: string; readonly key: string }
  readonly settingNames: SettingNames
  /** What the caller can do without credentials, at the end of the message that there are none. */
  readonly noCredentialsHint?: string
}

/** What the caller calls the settings that messages name. */
interface SettingNames {
  /** `--idle-timeout` */
  readonly idleTimeout: string
  /** `--allow-http`; the host follows. */
  readonly allowHttp: string
}

export interface ClaudeClient {
  readonly ask: Ask
  /** Counts the input tokens of a request instead of answering it, for nothing: the reply has a usage and no text. */
  readonly countTokens: Ask
  readonly batches: BatchApi
  /** The base URL that is asked, as the SDK resolved it. */
  readonly baseUrl: string
  /** Ends all connections at once. */
  close(): Promise<void>
}

/**
 * The one client of a run, with one pool of connections that are reused. The SDK's own retries are off (it would
 * retry a spend limit, and hide what it does); its log is off (it would write document text to stdout).
 * @throws UsageError where there are no usable credentials, or where they would travel unencrypted
 */
export async function createClaudeClient({
  clock,
  env,
  allowHttp = [],
  server,
  settingNames,
  noCredentialsHint = '',
  ...timeouts
}: ClaudeClientOptions): Promise<ClaudeClient> {
  const proxies = server === undefined ? readProxies(env) : undefined
  const connections = createConnections({ ...timeouts, proxies })
  const bulkConnections = createConnections({ ...timeouts, proxies, isBulk: true })
  const { add: addSecret, redact } = createRedactor(server === undefined ? findSecrets(env) : [])
  // Only in what is sent the token of a profile shows.
  const fetch = createFetch(connections, server === undefined ? addSecret : () => {})
  const anthropic = new BaseAnthropic({
    ...(server === undefined ? readCredentials(env) : { baseURL: server.url, apiKey: server.key }),
    maxRetries: 0,
    timeout: timeouts.totalTimeoutMs,
    logLevel: 'off',
    fetch,
  })
  const urlWithUserInfo = await resolveBaseUrl(anthropic, noCredentialsHint, redact)
  rejectPlainHttp(urlWithUserInfo, { allowHttp, allowHttpSetting: settingNames.allowHttp, proxies })
  const baseUrl = stripUserInfo(urlWithUserInfo)

  const idleTimeout = { ms: timeouts.idleTimeoutMs, setting: settingNames.idleTimeout }
  const toAskError = (error: unknown, deadline: Deadline) => {
    const requestError = toRequestError(error, {
      wallMs: clock.wallTime(),
      deadline,
      idleTimeout,
      redact,
      baseUrl,
    })
    return new AskError(
      requestError.status === 401
        ? { ...requestError, credential: describeCredential(anthropic) }
        : requestError,
    )
  }
  const runWithDeadline = <T>(
    signal: AbortSignal,
    send: (signal: AbortSignal, renew: Deadline['renew']) => Promise<T>,
    ms = timeouts.totalTimeoutMs,
  ) =>
    withDeadline(ms, signal, async (deadline) => {
      try {
        return await send(deadline.signal, deadline.renew)
      } catch (error) {
        signal.throwIfAborted()
        throw toAskError(error, deadline)
      }
    })
  const ask = createAsk(anthropic, runWithDeadline, clock)
  const countTokens: Ask = (request, signal) =>
    runWithDeadline(signal, (deadline) =>
      readTokenCount(
        anthropic.post('/v1/messages/count_tokens', { body: toMessageParams(request), signal: deadline }),
        request.model,
      ),
    )
  const batches = createBatchApi({
    anthropic,
    baseUrl,
    runWithDeadline,
    toAskError: (error) => toAskError(error, noDeadline),
    wallClock: clock.wallTime,
    toParams: (request) => ({ ...toMessageParams(request), max_tokens: request.maxTokens }),
    idleTimeoutMs: timeouts.idleTimeoutMs,
    dispatcher: () => bulkConnections.getDispatcher(baseUrl),
  })
  const close = async () => {
    await Promise.all([connections.close(), bulkConnections.close()])
  }
  return { ...withRedaction({ ask, countTokens, batches }, redact), baseUrl, close }
}

/** What the SDK calls `fetch` with. */
type FetchInit = Omit<RequestInit, 'dispatcher'> & { readonly dispatcher?: Dispatcher }

/** @param onSecret called with every secret that is sent */
function createFetch(connections: Connections, onSecret: (secret: string) => void): typeof globalThis.fetch {
  const fetch = async (sdkUrl: string, { dispatcher, ...init }: FetchInit) => {
    const url = normalizeRequestUrl(sdkUrl)
    const headers = init.headers instanceof Headers ? init.headers : new Headers(init.headers)
    listSentSecrets(headers).forEach(onSecret)
    return sendRequest(
      url,
      { ...init, headers },
      dispatcher ?? (await connections.getDispatcher(url)),
      dispatcher !== undefined,
    )
  }
  return fetch as unknown as typeof globalThis.fetch
}

/** The values of all headers but those that the SDK adds by itself. */
function listSentSecrets(headers: Headers): string[] {
  const isOrdinary = /^(accept|content-|user-agent$|anthropic-|x-stainless-|idempotency-key$|trace|baggage$)/
  return [...headers].filter(([name]) => !isOrdinary.test(name)).map(([, value]) => stripAuthScheme(value))
}

/**
 * Up to this many output tokens a plain reply is expected before the idle timeout ends the wait for it; it costs less
 * work than a stream. Longer ones are streamed, so that every byte is a sign of life.
 */
const maxPlainReplyTokens = 2048

/** Asks for plain replies, or streams; once a plain one was slower than the idle timeout, for nothing but streams. */
function createAsk(anthropic: BaseAnthropic, runWithDeadline: RunWithDeadline, clock: Clock): Ask {
  let mustStream = false
  // `post` rather than `messages.create`, which writes a warning to the console for every request to an old model.
  const post = (request: Request, signal: AbortSignal, stream: boolean) => {
    const body = { ...toMessageParams(request), max_tokens: request.maxTokens, ...(stream && { stream }) }
    return anthropic.post('/v1/messages', { body, signal, stream })
  }
  return async (request, signal, onText) => {
    const start = clock.now()
    if (mustStream || onText !== undefined || request.maxTokens > maxPlainReplyTokens) {
      const elapsed = () => clock.now() - start
      return runWithDeadline(signal, (deadline) =>
        readStreamedReply(post(request, deadline, true), elapsed, onText),
      )
    }
    try {
      return await runWithDeadline(signal, (deadline) => readMessageReply(post(request, deadline, false)))
    } catch (error) {
      // The service may have been at work on the answer all the time, and bill it.
      if (
        error instanceof AskError &&
        error.requestError.kind === 'timeout' &&
        !isUnreachable(error.requestError)
      )
        mustStream = true
      throw error
    }
  }
}

type RunWithDeadline = <T>(signal: AbortSignal, send: (deadline: AbortSignal) => Promise<T>) => Promise<T>

const noDeadline = { signal: new AbortController().signal, hasExpired: () => false, ms: 0, renew() {} }

/** All of a request's body but how long the answer may be. */
function toMessageParams({ model, system, user, pdf, effort, thinking, schema }: Request) {
  const config = {
    ...(effort !== undefined && { effort }),
    ...(schema !== undefined && { format: { type: 'json_schema', schema } }),
  }
  return {
    model,
    ...(system !== undefined && { system }),
    messages: [
      { role: 'user', content: pdf === undefined ? user : [toPdfBlock(pdf), { type: 'text', text: user }] },
    ],
    ...(thinking !== undefined && { thinking: { type: thinking } }),
    ...(Object.keys(config).length > 0 && { output_config: config }),
  }
}

/** @see https://platform.claude.com/docs/en/build-with-claude/pdf-support */
function toPdfBlock({ base64 }: Pdf) {
  return { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: base64 } }
}

/**
 * Returns the base URL that the SDK uses, by building a request without sending it: the only way to learn whether it
 * finds credentials.
 * @throws UsageError where it finds none
 */
async function resolveBaseUrl(
  anthropic: BaseAnthropic,
  hint: string,
  redact: (text: string) => string,
): Promise<string> {
  const { url } = await anthropic
    .buildRequest({ method: 'post', path: '/v1/messages', body: {} })
    .catch((error: Error) => {
      throw new UsageError(`${noCredentialsMessage}${hint}${explainProfileError(error, redact)}`)
    })
  return normalizeBaseUrl(url)
}

function describeCredential({ apiKey, authToken }: BaseAnthropic): string {
  if (apiKey) return 'ANTHROPIC_API_KEY'
  return authToken ? 'ANTHROPIC_AUTH_TOKEN' : 'the profile in use'
}

const noCredentialsMessage =
  'no credentials found: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN, or a profile)'

/** A profile that is there and cannot be used is worth saying; that there is none is what was said already. */
function explainProfileError(error: Error, redact: (text: string) => string): string {
  if (error instanceof TypeError || /authentication method/i.test(error.message)) return ''
  return ` (${escapeControlChars(truncate(redact(error.message).replace(/\s+/g, ' '), 300))})`
}
