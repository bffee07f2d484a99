import { readBaseUrl } from '../claude/api-environment.ts'
import type { ClaudeClient } from '../claude/claude-client.ts'
import { isLoopbackHost } from '../claude/private-host.ts'
import { resolveHeaders } from '../claude/request-headers.ts'
import { getConfigKey } from '../config/flag-names.ts'
import { configurationFlags } from '../config/flags/configuration-flags.ts'
import { connectTimeoutMs, retryFlags } from '../config/flags/retry-flags.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { ProviderName } from '../core/request/request-hash.ts'
import { splitCommandLine } from '../core/text/split-command-line.ts'
import type { Runtime } from '../runtime.ts'
import type { ReplyOrigin } from '../storage/earlier-results.ts'

/** The API or the simulator that a run sends its requests to. */
export interface Provider {
  readonly baseUrl: string
  /** Returns the client, which the first call creates. That takes time, so call it only to send requests. */
  connect(): Promise<Pick<ClaudeClient, 'ask' | 'countTokens' | 'batches'>>
  close(): Promise<void>
}

type ProviderOptions = Pick<
  SummarizeOptions,
  'idleTimeout' | 'allowHttp' | 'headers' | 'keyCommand' | 'keyTtl' | 'simulate' | 'rpm' | 'itpm' | 'otpm'
>

/**
 * Creates a provider for the API that the environment configures. With `--simulate`, the provider starts a
 * simulator in this process and sends requests to it over HTTP.
 */
export async function createProvider(options: ProviderOptions, runtime: Runtime): Promise<Provider> {
  const closeFunctions: (() => Promise<void>)[] = []
  const { allowHttp = [], keyCommand, keyTtl } = options
  const headers = options.simulate ? {} : resolveHeaders(options.headers ?? {}, runtime.env, '--headers')
  const command = keyCommand === undefined ? undefined : splitCommandLine(keyCommand)
  const idleTimeoutMs = options.idleTimeout * 1000
  const close = async () => {
    for (const closeOne of closeFunctions.reverse()) await closeOne()
  }
  const connectClient = async (server?: { readonly url: string; readonly key: string }) => {
    const { createClaudeClient } = await import('../claude/claude-client.ts')
    const { clock, env } = runtime
    const client = await createClaudeClient({
      clock,
      env,
      allowHttp,
      connectTimeoutMs: Math.min(connectTimeoutMs, idleTimeoutMs),
      idleTimeoutMs,
      settingNames,
      noCredentialsHint: `, or try the tool without a key: --simulate${formatPlatformHint(env)}`,
      totalTimeoutMs,
      headers,
      ...(server !== undefined
        ? { server }
        : command !== undefined && {
            keyCommand: {
              command,
              ttlMs: keyTtl * 1000,
              cwd: runtime.cwd,
              settingName: `--${getConfigKey(configurationFlags.keyCommand)}`,
            },
          }),
    })
    closeFunctions.push(client.close)
    return client
  }
  // The whole command shares one client, which keeps connections and state learned about the API.
  let clientPromise: Promise<ClaudeClient> | undefined
  if (options.simulate) {
    const startSimulated = async () => {
      const { startSimulator } = await import('../simulator/simulator.ts')
      const simulator = await startSimulator({ limits: getSimulatedLimits(options) })
      closeFunctions.push(simulator.close)
      return connectClient({ url: simulator.url, key: 'simulated' })
    }
    return { baseUrl: 'the simulator', connect: () => (clientPromise ??= startSimulated()), close }
  }
  const baseUrl = readBaseUrl(runtime.env, allowHttp, settingNames.allowHttp, command !== undefined)
  if (baseUrl !== undefined) return { baseUrl, connect: () => (clientPromise ??= connectClient()), close }
  const knownClient = await connectClient()
  return { baseUrl: knownClient.baseUrl, connect: async () => knownClient, close }
}

/** Returns a hint if Claude Code on this machine uses Claude on another platform; or else ''. */
function formatPlatformHint(env: Runtime['env']): string {
  const platform = Object.entries(claudeCodePlatforms).find(([variable]) =>
    /^(1|true)$/i.test(env[variable] ?? ''),
  )
  if (platform === undefined) return ''
  const [variable, name] = platform
  return `; ${variable} is set, which is for Claude Code: for ${name}, see docs/providers.md`
}

const claudeCodePlatforms: Readonly<Record<string, string>> = {
  CLAUDE_CODE_USE_BEDROCK: 'Amazon Bedrock',
  CLAUDE_CODE_USE_VERTEX: 'Google Vertex AI',
  CLAUDE_CODE_USE_FOUNDRY: 'Microsoft Foundry',
}

/** Returns the provider of a command with these flags. */
export function getProviderName({ simulate }: Pick<SummarizeOptions, 'simulate'>): ProviderName {
  return simulate ? 'simulator' : 'anthropic'
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
