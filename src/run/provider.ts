import {
  defaultBaseUrl,
  describeCredential,
  readBaseUrl,
  readCredentials,
} from '../claude/api-environment.ts'
import type { ClaudeClient, ClaudeClientOptions } from '../claude/claude-client.ts'
import { MissingCredentialsError } from '../claude/open-checked-client.ts'
import { describePlatformCredential } from '../claude/platforms/describe-platform-credential.ts'
import { createMissingBatches } from '../claude/platforms/missing-batches.ts'
import { isLoopbackHost } from '../claude/private-host.ts'
import { listPublicHeaders, resolveHeaders } from '../claude/request-headers.ts'
import { getConfigKey } from '../config/flag-names.ts'
import { configurationFlags } from '../config/flags/configuration-flags.ts'
import { connectTimeoutMs, retryFlags } from '../config/flags/retry-flags.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import { createModelIds } from '../core/request/provider-model-id.ts'
import {
  type ApiProvider,
  type ProviderName,
  type ProviderTraits,
  providerTraits,
} from '../core/request/providers.ts'
import { splitCommandLine } from '../core/text/split-command-line.ts'
import { adaptV8, type Runtime } from '../runtime.ts'
import type { ReplyOrigin } from '../storage/earlier-results.ts'
import { flushTelemetry } from './flush-telemetry.ts'

/** The service or the simulator that a run sends its requests to. */
export interface Provider {
  readonly traits: ProviderTraits
  readonly baseUrl: string
  /** Returns the client, which the first call creates. That takes time, so call it only to send requests. */
  connect(): Promise<Pick<ClaudeClient, 'ask' | 'countTokens' | 'batches'>>
  /** Closes all connections, and makes an OpenTelemetry SDK send what it has about the requests. */
  close(): Promise<void>
}

type ProviderOptions = Pick<
  SummarizeOptions,
  | 'provider'
  | 'modelId'
  | 'idleTimeout'
  | 'allowHttp'
  | 'headers'
  | 'keyCommand'
  | 'keyTtl'
  | 'simulate'
  | 'rpm'
  | 'itpm'
  | 'otpm'
> &
  Partial<Pick<SummarizeOptions, 'dryRun' | 'tokenCount'>>

/**
 * Creates the provider that the options and the environment configure. With `--simulate`, it starts a simulator
 * in this process and sends requests to it over HTTP.
 * @throws UsageError if a package, a setting or the credentials are missing
 */
export async function createProvider(options: ProviderOptions, runtime: Runtime): Promise<Provider> {
  const traits = providerTraits[getProviderName(options)]
  const closeFunctions: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closeOne of closeFunctions.reverse()) await closeOne()
    await flushTelemetry(runtime.clock)
  }
  const connectClient = async (settings: Partial<ClaudeClientOptions>) => {
    await adaptV8()
    const { createClaudeClient } = await import('../claude/claude-client.ts')
    // The packages of other platforms use Node's own fetch, too.
    if (options.provider === 'anthropic') {
      const { useBundledFetchClasses } = await import('../claude/bundled-fetch-classes.ts')
      useBundledFetchClasses()
    }
    const idleTimeoutMs = options.idleTimeout * 1000
    const client = await createClaudeClient({
      clock: runtime.clock,
      env: runtime.env,
      connectTimeoutMs: Math.min(connectTimeoutMs, idleTimeoutMs),
      idleTimeoutMs,
      totalTimeoutMs,
      settingNames,
      ...settings,
    })
    closeFunctions.push(client.close)
    return traits.hasBatches ? client : { ...client, batches: createMissingBatches(traits.label) }
  }
  // The whole command shares one client, which keeps connections and state learned about the API.
  let clientPromise: Promise<ClaudeClient> | undefined
  if (options.simulate) {
    const connectSimulator = async () => {
      const { startSimulator } = await import('../simulator/simulator.ts')
      const { createPdfPageReader } = await import('./read-pdf-pages.ts')
      const { openClientOf } = await import('../claude/anthropic-client.ts')
      const { url, close: closeSimulator } = await startSimulator({
        limits: getSimulatedLimits(options),
        readPdf: createPdfPageReader(),
      })
      closeFunctions.push(closeSimulator)
      return connectClient({ openSdkClient: openClientOf({ url, key: 'simulated' }), env: {} })
    }
    return { traits, baseUrl: 'the simulator', connect: () => (clientPromise ??= connectSimulator()), close }
  }
  const baseUrl = findBaseUrl(options, runtime.env)
  const settings = readConnectionSettings(options, runtime)
  if (baseUrl !== undefined)
    return { traits, baseUrl, connect: () => (clientPromise ??= connectClient(settings)), close }
  // The base URL is known only to the client: to its profile, or to the client of the platform.
  try {
    const client = await connectClient({ ...settings, ...(await readPlatformSettings(options, runtime)) })
    return { traits, baseUrl: client.baseUrl, connect: async () => client, close }
  } catch (error) {
    // An estimate from the documents needs no key.
    const isEstimate = options.dryRun && options.tokenCount !== 'exact'
    if (!(isEstimate && error instanceof MissingCredentialsError)) throw error
    const baseUrl = readCredentials(runtime.env).baseURL ?? defaultBaseUrl
    return { traits, baseUrl, connect: () => Promise.reject(error), close }
  }
}

/** Returns the settings of connections to a service. @throws UsageError for a header that cannot be sent */
function readConnectionSettings(options: ProviderOptions, { env, cwd }: Runtime) {
  const { provider, modelId, allowHttp = [], keyCommand, keyTtl } = options
  const command = keyCommand === undefined ? undefined : splitCommandLine(keyCommand)
  const headers = resolveHeaders(options.headers ?? {}, env, '--headers')
  return {
    allowHttp,
    headers,
    publicHeaders: listPublicHeaders(options.headers ?? {}),
    modelIds: createModelIds(provider, modelId),
    noCredentialsHint: `, or try the tool without a key: --simulate, or --dry-run to see what it would cost${formatPlatformHint(env)}`,
    ...(command !== undefined && {
      keyCommand: {
        command,
        ttlMs: keyTtl * 1000,
        cwd,
        settingName: `--${getConfigKey(configurationFlags.keyCommand)}`,
      },
    }),
  }
}

async function readPlatformSettings(
  { provider, keyCommand }: ProviderOptions,
  { env }: Runtime,
): Promise<Partial<ClaudeClientOptions>> {
  if (provider === 'anthropic') return {}
  const { findAddressVariable, openPlatformClient } = await import(
    '../claude/platforms/open-platform-client.ts'
  )
  return {
    openSdkClient: openPlatformClient(provider),
    baseUrlSetting: findAddressVariable(provider, env),
    ...(keyCommand === undefined && { credential: describePlatformCredential(provider, env) }),
  }
}

/**
 * Returns the base URL if the options and the environment alone determine it, or else undefined.
 * @throws UsageError if a variable is malformed, or if credentials would be sent unencrypted
 */
function findBaseUrl(
  { provider, allowHttp = [], keyCommand }: ProviderOptions,
  env: Runtime['env'],
): string | undefined {
  if (provider !== 'anthropic') return undefined
  return readBaseUrl(env, allowHttp, settingNames.allowHttp, keyCommand !== undefined)
}

/**
 * Returns where the credential of a provider comes from, never what it is. One of the headers may be the
 * credential.
 */
export function describeProviderCredential(
  { provider, keyCommand, headers }: Pick<ProviderOptions, 'provider' | 'keyCommand' | 'headers'>,
  env: Runtime['env'],
): string {
  const hasKeyCommand = keyCommand !== undefined
  if (provider === 'anthropic' || hasKeyCommand) return describeCredential(env, { hasKeyCommand, headers })
  return describePlatformCredential(provider, env)
}

/** Returns a hint if Claude Code on this machine uses Claude on another platform; or else ''. */
function formatPlatformHint(env: Runtime['env']): string {
  const platform = Object.entries(claudeCodePlatforms).find(([variable]) =>
    /^(1|true)$/i.test(env[variable] ?? ''),
  )
  if (platform === undefined) return ''
  const [variable, provider] = platform
  const { label } = providerTraits[provider]
  return `; ${variable} is set, which is for Claude Code: for ${label}, use --provider ${provider} (see docs/providers.md)`
}

/** @see https://code.claude.com/docs/en/settings */
const claudeCodePlatforms: Readonly<Record<string, ApiProvider>> = {
  CLAUDE_CODE_USE_BEDROCK: 'bedrock',
  CLAUDE_CODE_USE_VERTEX: 'vertex',
  CLAUDE_CODE_USE_FOUNDRY: 'foundry',
}

/** Returns the provider of a command with these flags. */
export function getProviderName({
  simulate,
  provider,
}: Pick<SummarizeOptions, 'simulate' | 'provider'>): ProviderName {
  return simulate ? 'simulator' : provider
}

/** Returns what answers the requests of a run: a server on this machine may be a simulator too. */
export function getReplyOrigin(
  { simulate }: Pick<SummarizeOptions, 'simulate'>,
  baseUrl: string,
): ReplyOrigin {
  if (simulate) return 'simulated'
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : ''
  return isLoopbackHost(host) ? 'local' : 'remote'
}

/**
 * Returns the rate limits for the simulator: those that the user configured, so that a rehearsal is
 * realistic.
 */
function getSimulatedLimits({ rpm, itpm, otpm }: ProviderOptions) {
  return {
    ...(rpm !== undefined && { rpm }),
    ...(itpm !== undefined && { itpm }),
    ...(otpm !== undefined && { otpm }),
  }
}

const settingNames = {
  idleTimeout: `--${getConfigKey(retryFlags.idleTimeout)}`,
  allowHttp: `--${getConfigKey(configurationFlags.allowHttp)}`,
} as const

/** Milliseconds. The API itself ends requests after about ten minutes. */
const totalTimeoutMs = 600_000
