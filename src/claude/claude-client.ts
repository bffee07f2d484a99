import { AskError } from '../core/errors/ask-error.ts'
import { isUnreachable, type RequestError } from '../core/errors/request-error.ts'
import type { Ask } from '../core/request/ask.ts'
import { createModelIds, type ModelIds } from '../core/request/provider-model-id.ts'
import type { Request } from '../core/request/request.ts'
import type { Clock } from '../core/run/clock.ts'
import { findSecrets } from '../core/text/find-secrets.ts'
import { createRedactor } from '../core/text/redact.ts'
import { openAnthropicClient } from './anthropic-client.ts'
import { describeCredential, stripUserInfo } from './api-environment.ts'
import { createBatchApi } from './batch-client.ts'
import { createFetch } from './create-fetch.ts'
import { type Deadline, withDeadline } from './deadline.ts'
import { createKeyCommand, type KeyCommandOptions } from './key-command.ts'
import { toMessageParams } from './message-params.ts'
import type { MessagesApi } from './messages-api.ts'
import { openCheckedClient } from './open-checked-client.ts'
import { rejectPlainHttp } from './plain-http.ts'
import { createPostMessages, type PostMessages } from './post-messages.ts'
import { readProxies } from './proxies.ts'
import { readMessageReply, readTokenCount } from './read-message.ts'
import { readStreamedReply } from './read-streamed-reply.ts'
import { type OpenSdkClient, withoutRetries } from './sdk-client.ts'
import { observeFetch } from './sent-secrets.ts'
import { toRequestError } from './to-request-error.ts'
import { createConnections } from './transport.ts'
import { withModelNames } from './with-model-names.ts'
import { withRedaction } from './with-redaction.ts'

export interface ClaudeClientOptions {
  readonly clock: Clock
  /** The longest time until a connection is established, in milliseconds. */
  readonly connectTimeoutMs: number
  /** The longest time without a byte from the API, in milliseconds. */
  readonly idleTimeoutMs: number
  /** The longest time for one attempt, in milliseconds. */
  readonly totalTimeoutMs: number
  /**
   * The environment variables with the credentials, the base URL and the proxies. Without credentials the SDK
   * looks for a profile.
   */
  readonly env: Readonly<Record<string, string | undefined>>
  /**
   * Hosts that may receive credentials without encryption. This machine and private addresses are always
   * allowed.
   */
  readonly allowHttp?: readonly string[]
  /** Headers to add to every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Lower-case names of those whose values are not secrets. Default: none. */
  readonly publicHeaders?: readonly string[]
  /** A program that prints the key, to use instead of the credentials in the environment. */
  readonly keyCommand?: Pick<KeyCommandOptions, 'command' | 'ttlMs' | 'cwd' | 'settingName'>
  /** Creates the client of the SDK. Default: one for Anthropic's API. */
  readonly openSdkClient?: OpenSdkClient
  /** Sends requests, in place of this client's connections. */
  readonly fetch?: typeof globalThis.fetch
  /**
   * The longest time until the headers of a response, in milliseconds, for connections that do not know the idle
   * timeout. Default: the longest time for one attempt.
   */
  readonly headersTimeoutMs?: number
  /** Secrets to remove from what the server sends, besides those in the environment. */
  readonly secrets?: readonly string[]
  /** The ids under which the server knows models. Default: the models' own. */
  readonly modelIds?: ModelIds
  /** What sets the base URL, for messages, if it is not the variable `ANTHROPIC_BASE_URL`. */
  readonly baseUrlSetting?: string
  /** Where the credentials come from, for messages about those that are refused. Default: as the SDK takes them. */
  readonly credential?: string
  readonly settingNames: SettingNames
  /** A hint at the end of the message about missing credentials: what the caller can do without them. */
  readonly noCredentialsHint?: string
}

/** The caller's names for the settings that messages refer to. */
interface SettingNames {
  /** The setting of the idle timeout, such as `--idle-timeout`. */
  readonly idleTimeout: string
  /** The setting that allows `http`, such as `--allow-http`. The message adds the host. */
  readonly allowHttp: string
}

export interface ClaudeClient extends MessagesApi {
  /** The base URL in use, as the SDK resolved it. */
  readonly baseUrl: string
  /** Closes all connections immediately. */
  close(): Promise<void>
}

/**
 * Creates the client of a run, with one pool of reused connections. The SDK's retries are off: they would
 * retry after a spending limit was reached, and hide attempts. Its log is off: it would write document text
 * to stdout.
 * @throws UsageError if there are no usable credentials, or if they would be sent unencrypted
 * @throws ExitError `temporaryFailure` if the service that issues them fails
 */
export async function createClaudeClient({
  clock,
  env,
  allowHttp = [],
  headers,
  publicHeaders = [],
  keyCommand,
  openSdkClient = openAnthropicClient,
  fetch,
  headersTimeoutMs,
  secrets = [],
  modelIds = createModelIds('anthropic'),
  baseUrlSetting,
  credential = describeCredential(env, { hasKeyCommand: keyCommand !== undefined, headers }),
  settingNames,
  noCredentialsHint = '',
  ...timeouts
}: ClaudeClientOptions): Promise<ClaudeClient> {
  const proxies = readProxies(env)
  const connections = createConnections({ ...timeouts, proxies })
  const bulkConnections = createConnections({ ...timeouts, proxies, isBulk: true })
  const { add: addSecret, redact } = createRedactor([...findSecrets(env), ...secrets])
  const keySource = keyCommand && createKeyCommand({ ...keyCommand, env, clock, onKey: addSecret })
  // The token of a profile is visible only in the requests that the SDK sends.
  const send =
    fetch === undefined
      ? createFetch(connections, addSecret, keySource, publicHeaders)
      : observeFetch(fetch, addSecret)
  const { client, url: urlWithUserInfo } = await openCheckedClient(
    openSdkClient,
    { env, fetch: send, onSecret: addSecret, keySource, headers },
    { noCredentialsHint, redact },
  )
  const timeoutMs = headersTimeoutMs ?? timeouts.totalTimeoutMs
  const anthropic = withoutRetries(client, timeoutMs)
  rejectPlainHttp(urlWithUserInfo, { allowHttp, allowHttpSetting: settingNames.allowHttp, proxies })
  const baseUrl = stripUserInfo(urlWithUserInfo)

  const idleTimeout = { ms: timeouts.idleTimeoutMs, setting: settingNames.idleTimeout }
  const addressing = baseUrlSetting === undefined ? {} : { baseUrlSetting }
  const toAskError = (error: unknown, deadline: Pick<Deadline, 'hasExpired' | 'ms'>) => {
    const requestError = toRequestError(error, {
      wallMs: clock.wallTime(),
      deadline,
      idleTimeout,
      redact,
      baseUrl,
      ...addressing,
    })
    const details = { ...addressing, ...(requestError.status === 401 && { credential }) }
    return createAskError({ ...requestError, ...details }, error)
  }
  const runWithDeadline = <T>(
    signal: AbortSignal,
    send: (deadline: Deadline) => Promise<T>,
    ms = timeouts.totalTimeoutMs,
  ) =>
    withDeadline(ms, signal, async (deadline) => {
      try {
        return await send(deadline)
      } catch (error) {
        signal.throwIfAborted()
        throw toAskError(error, deadline)
      }
    })
  const toParams = (request: Request) => toMessageParams({ ...request, model: modelIds.toId(request.model) })
  const post: PostMessages =
    anthropic.hasConstantHeaders && fetch === undefined
      ? createPostMessages(client, timeoutMs, connections, addSecret, publicHeaders)
      : (body, { signal }, stream) => anthropic.post('/v1/messages', { body, signal, stream })
  const ask = createAsk(post, toParams, runWithDeadline, clock)
  const countTokens: Ask = (request, signal) =>
    runWithDeadline(signal, ({ signal: deadline }) =>
      readTokenCount(
        anthropic.post('/v1/messages/count_tokens', { body: toParams(request), signal: deadline }),
        request.model,
      ),
    )
  const batches = createBatchApi({
    anthropic,
    baseUrl,
    runWithDeadline: (signal, work, ms) =>
      runWithDeadline(signal, (deadline) => work(deadline.signal, deadline.renew), ms),
    toAskError: (error) => toAskError(error, noDeadline),
    wallClock: clock.wallTime,
    toParams: (request) => ({ ...toParams(request), max_tokens: request.maxTokens }),
    idleTimeoutMs: timeouts.idleTimeoutMs,
    dispatcher: () => bulkConnections.getDispatcher(baseUrl),
  })
  const close = async () => {
    await Promise.all([connections.close(), bulkConnections.close()])
  }
  const api = withModelNames({ ask, countTokens, batches }, modelIds.toModel)
  return { ...withRedaction(api, redact), baseUrl, close }
}

/** Creates the error of a request. Its cause is the error of the SDK or the system, for callers of the library. */
function createAskError(requestError: RequestError, error: unknown): AskError {
  // An error of this client is described by the request error already.
  const isOwn = error instanceof AskError || (error instanceof Error && error.cause instanceof AskError)
  return new AskError(requestError, [], undefined, isOwn ? {} : { cause: error })
}

/**
 * Up to this many output tokens, a reply is expected before the idle timeout, and a plain reply costs less
 * CPU time than a stream. Longer replies are streamed, so that every event resets the idle timeout.
 */
const maxPlainReplyTokens = 2048

/**
 * Returns an `Ask` that requests plain or streamed replies. After a plain reply has timed out, it only
 * streams.
 */
function createAsk(
  postMessages: PostMessages,
  toParams: (request: Request) => object,
  runWithDeadline: RunWithDeadline,
  clock: Clock,
): Ask {
  let mustStream = false
  // `messages.create` would write a warning to the console for every request to an old model.
  const post = (request: Request, deadline: Deadline, stream: boolean) => {
    const body = { ...toParams(request), max_tokens: request.maxTokens, ...(stream && { stream }) }
    return postMessages(body, deadline, stream)
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
      // The API may have been generating the answer the whole time, and bill it.
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

type RunWithDeadline = <T>(signal: AbortSignal, send: (deadline: Deadline) => Promise<T>) => Promise<T>

const noDeadline = { hasExpired: () => false, ms: 0 }
