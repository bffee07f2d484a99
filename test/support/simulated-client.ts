import { onTestFinished } from 'vitest'
import { openClientOf } from '../../src/claude/anthropic-client.ts'
import {
  type ClaudeClient,
  type ClaudeClientOptions,
  createClaudeClient,
} from '../../src/claude/claude-client.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { realClock } from './real-clock.ts'

/** Creates a real client with a separate simulator; both end with the test. */
export async function createSimulatedClient(
  options: SimulatorOptions,
  timeouts: Partial<ClaudeClientOptions> = {},
): Promise<{ client: ClaudeClient; simulator: Simulator }> {
  const simulator = await startSimulator({ latency: { medianMs: 5, sigma: 0 }, ...options })
  const client = await createClaudeClient({
    clock: realClock,
    env: {},
    connectTimeoutMs: 2000,
    idleTimeoutMs: 2000,
    settingNames: { idleTimeout: '--idle-timeout', allowHttp: '--allow-http' },
    totalTimeoutMs: 5000,
    openSdkClient: openClientOf({ url: simulator.url, key: 'test' }),
    ...timeouts,
  })
  onTestFinished(async () => {
    await client.close()
    await simulator.close()
  })
  return { client, simulator }
}
