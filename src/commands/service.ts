import { createClient } from '../claude/client.ts'
import type { SummarizeOptions } from '../config/flags.ts'
import type { Ask } from '../core/ask.ts'
import type { World } from '../world.ts'

/** Whoever answers the requests of a run. */
export interface Service {
  readonly ask: Ask
  readonly endpoint: string
  close(): Promise<void>
}

/** The API the environment points at, or with `--simulate` one inside this process, reached over real HTTP all the same. */
export async function openService(options: SummarizeOptions, { clock, env }: World): Promise<Service> {
  const timeouts = {
    env,
    connectTimeoutMs: options.connectTimeout * 1000,
    idleTimeoutMs: options.timeout * 1000,
    totalTimeoutMs: longestRequestMs,
  }
  if (!options.simulate) {
    return createClient({ clock, ...timeouts })
  }
  const { startSimulator } = await import('../simulator/server.ts')
  const simulator = await startSimulator({ limits: simulatedLimits(options) })
  const client = await createClient({ clock, ...timeouts, server: { url: simulator.url, key: 'simulated' } })
  const close = async () => {
    await client.close()
    await simulator.close()
  }
  return { ask: client.ask, endpoint: 'the simulator', close }
}

/** An operator rehearses with the limits he has. */
function simulatedLimits({ rpm, itpm, otpm }: SummarizeOptions) {
  return {
    ...(rpm !== undefined && { rpm }),
    ...(itpm !== undefined && { itpm }),
    ...(otpm !== undefined && { otpm }),
  }
}

/** The API ends its own long requests at about this. */
const longestRequestMs = 600_000
