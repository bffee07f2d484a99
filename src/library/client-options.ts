import { connectTimeoutMs, retryFlags } from '../config/flags/retry-flags.ts'
import { resolveModelSettings } from '../config/model-settings.ts'
import { type Effort, efforts } from '../core/pricing/models.ts'
import { maxPoolSize } from '../core/rate-limit/pool-size.ts'
import { parseHost } from '../core/text/parse-host.ts'
import { checkListener, checkNames, isOptions } from './check-arguments.ts'
import type { ClientListeners } from './events.ts'
import { checkPrices, type Price } from './library-prices.ts'
import { isOfficialClient, type OfficialClient } from './official-client.ts'
import type { Fetch } from './web-types.ts'

/**
 * Options of a client; all are optional. Names that end in `Ms` are milliseconds, limits are per minute.
 * Credentials are not an option: they come from the environment, so that code that logs options does not log
 * a key.
 */
export interface ClientOptions extends ClientListeners {
  /** `haiku`, `sonnet`, `opus` or a full model id. Default: the prompt's model, or else haiku. */
  readonly model?: string | undefined
  /** Maximum output tokens of an answer, including thinking. Default: the prompt's value, or else 1024. */
  readonly maxTokens?: number | undefined
  /** Effort level of the model. Default: the prompt's effort, or else the model's lowest. */
  readonly effort?: Effort | undefined
  /** Your limit of requests per minute. Default: learned from the API's response headers. */
  readonly rpm?: number | undefined
  /** Your limit of input tokens per minute. Default: learned from the API's response headers. */
  readonly itpm?: number | undefined
  /** Your limit of output tokens per minute. Default: learned from the API's response headers. */
  readonly otpm?: number | undefined
  /** Expected duration of a request in milliseconds, used for the initial pool size. Default: 3000. */
  readonly latencyMs?: number | undefined
  /** Maximum number of requests in flight. Default: as many as limits and latency need, at most 256. */
  readonly concurrency?: number | undefined
  /** Retries per request after transient errors. Default: 3. */
  readonly retries?: number | undefined
  /**
   * Longest wait during a rate limit or an outage, in milliseconds. A longer wait is an error,
   * `wait_too_long`. Default: 600,000.
   */
  readonly maxWaitMs?: number | undefined
  /**
   * Idle timeout of a request: the longest time without a byte from the API, in milliseconds. Default:
   * 60,000.
   */
  readonly timeoutMs?: number | undefined
  /** Longest wait for a connection, in milliseconds. Default: 5000. */
  readonly connectTimeoutMs?: number | undefined
  /**
   * Hard spending cap for the lifetime of this client. The worst case of a request is reserved before it is
   * sent. A request that does not fit is an error, `budget_exceeded`.
   */
  readonly maxCostUsd?: number | undefined
  /** Prices by model name, for models whose price is unknown or different for you. */
  readonly prices?: Readonly<Record<string, Price>> | undefined
  /** When aborted, the client is closed. */
  readonly signal?: AbortSignal | undefined
  /**
   * An official client of Anthropic, with its own credentials, address and connections, to send the requests with.
   * Its retries and its timeout are not used. Default: a client for the environment.
   */
  readonly client?: OfficialClient | undefined
  /** A function to send the requests with, instead of this client's own connections. */
  readonly fetch?: Fetch | undefined
  /**
   * Environment variables to use instead of the process's: `ANTHROPIC_API_KEY` or `ANTHROPIC_AUTH_TOKEN`,
   * `ANTHROPIC_BASE_URL`, `ANTHROPIC_CUSTOM_HEADERS`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`.
   */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /**
   * Hosts that may receive credentials over plain `http`, where others can read them. This machine and
   * private addresses are always allowed. Default: none.
   */
  readonly allowHttp?: readonly string[] | undefined
}

/** The options that a client, a call and a prompt have in common. */
export interface ModelSettings {
  readonly model: string | undefined
  readonly maxTokens: number | undefined
  readonly effort: Effort | undefined
}

/**
 * Checks the options that a caller passed, possibly from plain JavaScript. @throws TypeError that names the
 * option
 */
export function checkOptions(options: ClientOptions): void {
  const isObject: boolean = isOptions(options)
  if (!isObject) throw new TypeError(`createClient: options must be an object${credentialsHint}`)
  const otherNames = [
    'model',
    'effort',
    'prices',
    'signal',
    'env',
    'allowHttp',
    'client',
    'fetch',
    'onRetry',
    'onPause',
  ]
  checkNames('createClient', options, [...otherNames, ...Object.keys(numberRanges)], formatHint)
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && name in numberRanges)
      checkNumber('createClient', name as keyof typeof numberRanges, value)
  const { model, effort, maxTokens, prices, signal, client, fetch, env = {}, allowHttp = [] } = options
  checkPrices(prices)
  checkModelSettings('createClient', { model, effort, maxTokens })
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new TypeError('createClient: signal must be an AbortSignal')
  if (client !== undefined && !isOfficialClient(client))
    throw new TypeError('createClient: client must be a client of an official package of Anthropic')
  if (fetch !== undefined && typeof fetch !== 'function')
    throw new TypeError('createClient: fetch must be a function')
  for (const name of ['onRetry', 'onPause'] as const) checkListener('createClient', name, options[name])
  if (client !== undefined && fetch !== undefined)
    throw new TypeError('createClient: client has its own fetch; pass only one of them')
  if (!isOptions(env)) throw new TypeError('createClient: env must be an object of texts')
  // Deno refuses to list all variables if the user allowed only some.
  const invalidVariable = usedVariables.find((name) => !['string', 'undefined'].includes(typeof env[name]))
  if (invalidVariable !== undefined)
    throw new TypeError(`createClient: env: ${invalidVariable} must be a text`)
  const isHost = (host: unknown) => typeof host === 'string' && parseHost(host) !== undefined
  if (!Array.isArray(allowHttp) || !allowHttp.every(isHost))
    throw new TypeError('createClient: allowHttp must be a list of hosts, without scheme, port or path')
  try {
    resolveModelSettings({}, { model, effort, maxTokens }, modelSettingNames)
  } catch (error) {
    throw new TypeError(`createClient: ${(error as Error).message}`)
  }
}

/** Checks the options that choose a model. @throws TypeError that names the option */
export function checkModelSettings(caller: string, { model, maxTokens, effort }: ModelSettings): void {
  if (maxTokens !== undefined) checkNumber(caller, 'maxTokens', maxTokens)
  if (model !== undefined && (typeof model !== 'string' || model.trim() === ''))
    throw new TypeError(`${caller}: model must be a name`)
  if (effort !== undefined && !efforts.includes(effort))
    throw new TypeError(`${caller}: effort must be one of ${efforts.join(', ')}`)
}

const usedVariables = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_CUSTOM_HEADERS',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
]

const dayMs = 86_400_000

const numberRanges = {
  maxTokens: { least: 1, most: 1_000_000, whole: true },
  rpm: { least: 0.001, most: 1_000_000 },
  itpm: { least: 1, most: 1_000_000_000 },
  otpm: { least: 1, most: 1_000_000_000 },
  latencyMs: { least: 1, most: dayMs / 24 },
  concurrency: { least: 1, most: maxPoolSize, whole: true },
  maxCostUsd: { least: 0, most: 1_000_000 },
  retries: { least: 0, most: 20, whole: true },
  maxWaitMs: { least: 0, most: 7 * dayMs },
  timeoutMs: { least: 1, most: dayMs / 24 },
  connectTimeoutMs: { least: 1, most: dayMs / 24 },
} as const satisfies Record<string, { least: number; most: number; whole?: true }>

/** The names of model settings in error messages. */
export const modelSettingNames = { maxTokens: 'maxTokens', effort: 'effort' } as const

/** The defaults of the command line. */
export const defaultOptions = {
  retries: retryFlags.retries.default,
  maxWaitMs: retryFlags.maxWait.default * 1000,
  timeoutMs: retryFlags.idleTimeout.default * 1000,
  connectTimeoutMs,
} as const

function checkNumber(caller: string, name: keyof typeof numberRanges, value: unknown): void {
  const {
    least: min,
    most: max,
    whole: isInteger = false,
  } = numberRanges[name] as { least: number; most: number; whole?: true }
  const isInRange = typeof value === 'number' && value >= min && value <= max
  if (isInRange && (!isInteger || Number.isInteger(value))) return
  throw new TypeError(`${caller}: ${name} must be a ${isInteger ? 'whole ' : ''}number from ${min} to ${max}`)
}

const credentialsHint =
  '; credentials and the base URL come from the environment (ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL)'

function formatHint(name: string): string {
  // Unlike `authToken`, `max_tokens` is no credential.
  return /key|token(?!s)|secret|url/i.test(name) ? credentialsHint : ''
}
