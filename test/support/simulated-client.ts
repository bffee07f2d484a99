import { onTestFinished } from 'vitest'
import { type Client, type ClientOptions, createClient } from '../../src/claude/client.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/server.ts'
import { realClock } from './real-clock.ts'

/** The real client on a simulator of its own; both end with the test. */
export async function simulatedClient(
  options: SimulatorOptions,
  timeouts: Partial<ClientOptions> = {},
): Promise<{ client: Client; simulator: Simulator }> {
  const simulator = await startSimulator({ latency: { medianMs: 5, sigma: 0 }, ...options })
  const client = await createClient({
    clock: realClock,
    env: {},
    connectTimeoutMs: 2000,
    idleTimeoutMs: 2000,
    idleTimeoutSetting: '--idle-timeout',
    totalTimeoutMs: 5000,
    server: { url: simulator.url, key: 'test' },
    ...timeouts,
  })
  onTestFinished(async () => {
    await client.close()
    await simulator.close()
  })
  return { client, simulator }
}
