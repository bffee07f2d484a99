import { createClient } from '../claude/client.ts'
import type { SummarizeOptions } from '../config/flags.ts'
import type { Ask } from '../core/ask.ts'
import type { Clock } from '../core/clock.ts'

/** Whoever answers the requests of a run. */
export interface Service {
  readonly ask: Ask
  readonly endpoint: string
  /** What to assume where the user says nothing: requests per minute, and seconds per request. */
  readonly rpm: number
  readonly latency: number
  close(): Promise<void>
}

/** The API the environment points at, or with `--simulate` one inside this process, reached over real HTTP all the same. */
export async function openService(options: SummarizeOptions, clock: Clock): Promise<Service> {
  const timeouts = {
    connectTimeoutMs: options.connectTimeout * 1000,
    idleTimeoutMs: options.timeout * 1000,
    totalTimeoutMs: longestRequestMs,
  }
  if (!options.simulate) {
    const client = await createClient({ clock, ...timeouts })
    return { ...client, rpm: 60, latency: 3 }
  }
  const { startSimulator } = await import('../simulator/server.ts')
  const rpm = options.rpm ?? 1000
  const simulator = await startSimulator({ limits: { rpm }, latency: { medianMs: 400 } })
  const client = await createClient({ clock, ...timeouts, server: { url: simulator.url, key: 'simulated' } })
  const close = async () => {
    await client.close()
    await simulator.close()
  }
  return { ask: client.ask, endpoint: simulator.url, rpm, latency: 0.4, close }
}

/** The API ends its own long requests at about this. */
const longestRequestMs = 600_000
