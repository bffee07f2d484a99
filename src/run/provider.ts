import { readBaseUrl } from '../claude/api-environment.ts'
import type { ClaudeClient } from '../claude/claude-client.ts'
import { getConfigKey } from '../config/flag-names.ts'
import { configurationFlags } from '../config/flags/configuration-flags.ts'
import { connectTimeoutMs, retryFlags } from '../config/flags/retry-flags.ts'
import type { SummarizeOptions } from '../config/summarize-flags.ts'
import type { ProviderName } from '../core/request/request-hash.ts'
import type { Runtime } from '../runtime.ts'

/** Whoever answers the requests of a run. */
export interface Provider {
  readonly baseUrl: string
  /** Gets ready to ask, which takes a while: not to be called by a run that has nothing to ask. */
  connect(): Promise<Pick<ClaudeClient, 'ask' | 'countTokens' | 'batches'>>
  close(): Promise<void>
}

type ProviderOptions = Pick<
  SummarizeOptions,
  'idleTimeout' | 'allowHttp' | 'simulate' | 'rpm' | 'itpm' | 'otpm'
>

/** The API the environment points at, or with `--simulate` one inside this process, reached over real HTTP all the same. */
export async function createProvider(options: ProviderOptions, runtime: Runtime): Promise<Provider> {
  const closeFunctions: (() => Promise<void>)[] = []
  const { allowHttp = [] } = options
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
      noCredentialsHint: ', or try the tool without a key: --simulate',
      totalTimeoutMs,
      ...(server !== undefined && { server }),
    })
    closeFunctions.push(client.close)
    return client
  }
  // One client for the whole command: it keeps its connections, and what it learned of the service.
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
  const baseUrl = readBaseUrl(runtime.env, allowHttp, settingNames.allowHttp)
  if (baseUrl !== undefined) return { baseUrl, connect: () => (clientPromise ??= connectClient()), close }
  const knownClient = await connectClient()
  return { baseUrl: knownClient.baseUrl, connect: async () => knownClient, close }
}

/** Returns who answers the requests of a command with these flags. */
export function getProviderName({ simulate }: Pick<SummarizeOptions, 'simulate'>): ProviderName {
  return simulate ? 'simulator' : 'anthropic'
}

/** An operator rehearses with the limits he has. */
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

/** The API ends its own long requests at about this. */
const totalTimeoutMs = 600_000
