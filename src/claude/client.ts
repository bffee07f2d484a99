import Anthropic from '@anthropic-ai/sdk'
import { Agent, EnvHttpProxyAgent, fetch } from 'undici'
import type { Ask } from '../core/ask.ts'
import type { Clock } from '../core/clock.ts'
import { AskError } from '../core/failure.ts'
import type { Request } from '../core/request.ts'
import { UsageError } from '../errors.ts'
import { withDeadline } from './deadline.ts'
import { faultOf } from './fault.ts'
import { messageReply } from './message.ts'
import { streamReply } from './stream.ts'

export interface ClientOptions {
  readonly clock: Clock
  /** Until a connection stands: milliseconds. */
  readonly connectTimeoutMs: number
  /** Between two signs of life, and until the first: milliseconds. */
  readonly idleTimeoutMs: number
  /** For one sending as a whole: milliseconds. */
  readonly totalTimeoutMs: number
  /** A server to use instead of what the environment says, with the key it takes; proxies do not apply to it. */
  /** For the proxies and the base URL it names. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly server?: { readonly url: string; readonly key: string }
}

export interface Client {
  readonly ask: Ask
  /** The base URL that is asked, as the SDK resolved it. */
  readonly endpoint: string
  /** Ends all connections at once. */
  close(): Promise<void>
}

/**
 * The one client of a run, with one pool of connections that are reused. The SDK's own retries are off (it would
 * retry a spend limit, and hide what it does); its log is off (it would write document text to stdout).
 * @throws UsageError where there are no usable credentials, or where they would travel unencrypted
 */
export async function createClient({ clock, env, server, ...timeouts }: ClientOptions): Promise<Client> {
  const agentOptions = {
    connect: { timeout: timeouts.connectTimeoutMs },
    headersTimeout: timeouts.idleTimeoutMs,
    bodyTimeout: timeouts.idleTimeoutMs,
    // No summary comes near this; an endless body must not fill the memory.
    maxResponseSize: 16_000_000,
  }
  if (server === undefined) checkUrl('ANTHROPIC_BASE_URL', env['ANTHROPIC_BASE_URL'])
  const dispatcher =
    server === undefined
      ? new EnvHttpProxyAgent({ ...agentOptions, ...proxiesIn(env) })
      : new Agent(agentOptions)
  const anthropic = new Anthropic({
    ...(server !== undefined && { baseURL: server.url, apiKey: server.key }),
    maxRetries: 0,
    timeout: timeouts.totalTimeoutMs,
    logLevel: 'off',
    fetch: fetchTellingWhy as unknown as typeof globalThis.fetch,
    // Following a redirect would send the document to another host.
    fetchOptions: { dispatcher, redirect: 'manual' } as never,
  })
  const endpoint = await checkedEndpoint(anthropic)

  const ask: Ask = (request, signal) =>
    withDeadline(timeouts.totalTimeoutMs, signal, async (deadline) => {
      try {
        return await send(anthropic, request, deadline.signal, clock)
      } catch (error) {
        signal.throwIfAborted()
        const fault = faultOf(error, clock.wall(), deadline)
        throw new AskError(fault.status === 401 ? { ...fault, credential: credentialOf(anthropic) } : fault)
      }
    })
  return { ask, endpoint, close: () => dispatcher.destroy() }
}

/**
 * The SDK drops the cause where it, or what it caused, says "timeout"; but only the cause tells a connection that never
 * stood from a request that may be billed. So it is handed over one step further down.
 */
async function fetchTellingWhy(...request: Parameters<typeof fetch>): ReturnType<typeof fetch> {
  try {
    return await fetch(...request)
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error
    throw new Error('no response', { cause: new Error('fetch failed', { cause: error }) })
  }
}

/**
 * Up to this many output tokens a plain reply is surely there before the idle timeout ends the wait for it; it costs
 * less work than a stream. Longer ones are streamed, so that every byte is a sign of life.
 */
const longestPlain = 2048

function send(anthropic: Anthropic, request: Request, signal: AbortSignal, clock: Clock) {
  const start = clock.now()
  const { model, maxTokens, system, user, effort, thinking } = request
  const body = {
    model,
    max_tokens: maxTokens,
    ...(system !== undefined && { system }),
    messages: [{ role: 'user', content: user }],
    ...(thinking !== undefined && { thinking: { type: thinking } }),
    ...(effort !== undefined && { output_config: { effort } }),
  }
  // `post` rather than `messages.create`, which writes a warning to the console for every request to an old model.
  if (maxTokens <= longestPlain) return messageReply(anthropic.post('/v1/messages', { body, signal }))
  return streamReply(
    anthropic.post('/v1/messages', { body: { ...body, stream: true }, signal, stream: true }),
    () => clock.now() - start,
  )
}

/** Proxies as the environment names them; without a scheme, as curl takes them, they are `http`. */
function proxiesIn(env: ClientOptions['env']): { httpProxy: string; httpsProxy: string; noProxy: string } {
  const proxy = (name: string) => {
    const value = (env[name] ?? env[name.toUpperCase()] ?? '').trim()
    const url = value === '' || value.includes('://') ? value : `http://${value}`
    checkUrl(name.toUpperCase(), url)
    return url
  }
  return {
    httpProxy: proxy('http_proxy'),
    httpsProxy: proxy('https_proxy'),
    noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
  }
}

function checkUrl(name: string, value: string | undefined): void {
  if (value === undefined || value.trim() === '') return
  const url = URL.canParse(value) ? new URL(value) : undefined
  const bad =
    url === undefined || !/^https?:$/.test(url.protocol) || !decodes(url.username) || !decodes(url.password)
  // Not repeated: a proxy's URL may hold a password.
  if (bad) throw new UsageError(`${name} is not a URL that begins with http:// or https://`)
}

function decodes(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/** Builds a request without sending it: the only way to learn whether the SDK finds credentials, and what host it asks. */
async function checkedEndpoint(anthropic: Anthropic): Promise<string> {
  const built = await anthropic
    .buildRequest({ method: 'post', path: '/v1/messages', body: {} })
    .catch((error: Error) => {
      // The text of the SDK's error may hold the key, where the key is what is wrong.
      if (error instanceof TypeError)
        throw new UsageError(
          'the API key has characters no key has (a line break, perhaps); set ANTHROPIC_API_KEY again',
        )
      throw new UsageError(noCredentials)
    })
  const url = new URL(built.url)
  if (url.protocol === 'http:' && !isPrivate(url.hostname)) {
    throw new UsageError(
      `refusing to send a key over plain http to ${url.host}; use https in ANTHROPIC_BASE_URL`,
    )
  }
  return built.url.replace(/\/v1\/messages.*$/, '')
}

function credentialOf({ apiKey, authToken }: Anthropic): string {
  if (apiKey) return 'ANTHROPIC_API_KEY'
  return authToken ? 'ANTHROPIC_AUTH_TOKEN' : 'the profile in use'
}

const noCredentials =
  'no credentials found: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN, or a profile), or try the tool without a key: --simulate'

/** This machine, private addresses and names without a public suffix: where gateways are run without TLS. */
function isPrivate(host: string): boolean {
  return /^(localhost|\[::1\]|127\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|[^.]+$)|\.(localhost|local|internal)$/.test(
    host,
  )
}
