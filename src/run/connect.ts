import type { Client } from '../claude/client.ts'
import { endpointIn } from '../claude/environment.ts'
import { type SummarizeOptions, summarizeFlags } from '../config/flags.ts'
import { keyOf } from '../config/key.ts'
import type { World } from '../runtime.ts'

/** Whoever answers the requests of a run. */
export interface Service {
  readonly endpoint: string
  /** Gets ready to ask, which takes a while: not to be called by a run that has nothing to ask. */
  open(): Promise<Pick<Client, 'ask' | 'count' | 'batches'>>
  close(): Promise<void>
}

type ServiceOptions = Pick<
  SummarizeOptions,
  'connectTimeout' | 'idleTimeout' | 'allowHttp' | 'simulate' | 'rpm' | 'itpm' | 'otpm'
>

/** The API the environment points at, or with `--simulate` one inside this process, reached over real HTTP all the same. */
export async function serviceFor(options: ServiceOptions, world: World): Promise<Service> {
  const closing: (() => Promise<void>)[] = []
  const { allowHttp = [] } = options
  const close = async () => {
    for (const end of closing.reverse()) await end()
  }
  const client = async (server?: { readonly url: string; readonly key: string }) => {
    const { createClient } = await import('../claude/client.ts')
    const { clock, env } = world
    const client = await createClient({
      clock,
      env,
      allowHttp,
      connectTimeoutMs: options.connectTimeout * 1000,
      idleTimeoutMs: options.idleTimeout * 1000,
      idleTimeoutSetting: `--${keyOf(summarizeFlags.idleTimeout)}`,
      totalTimeoutMs: longestRequestMs,
      ...(server !== undefined && { server }),
    })
    closing.push(client.close)
    return client
  }
  // One client for the whole command: it keeps its connections, and what it learned of the service.
  let opened: Promise<Client> | undefined
  if (options.simulate) {
    const simulated = async () => {
      const { startSimulator } = await import('../simulator/server.ts')
      const simulator = await startSimulator({ limits: simulatedLimits(options) })
      closing.push(simulator.close)
      return client({ url: simulator.url, key: 'simulated' })
    }
    return { endpoint: 'the simulator', open: () => (opened ??= simulated()), close }
  }
  const endpoint = endpointIn(world.env, allowHttp)
  if (endpoint !== undefined) return { endpoint, open: () => (opened ??= client()), close }
  const found = await client()
  return { endpoint: found.endpoint, open: async () => found, close }
}

/** An operator rehearses with the limits he has. */
function simulatedLimits({ rpm, itpm, otpm }: ServiceOptions) {
  return {
    ...(rpm !== undefined && { rpm }),
    ...(itpm !== undefined && { itpm }),
    ...(otpm !== undefined && { otpm }),
  }
}

/** The API ends its own long requests at about this. */
const longestRequestMs = 600_000
