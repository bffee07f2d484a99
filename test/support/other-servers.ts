import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { acceptsConnections, findFreePort } from './free-port.ts'
import { longWait } from './long-wait.ts'

/** The folder into which `.ci/run` installs the packages of servers from other projects. */
const folder = process.env['OTHER_SERVERS']

/** Whether the servers of other projects are missing. */
export const hasNoOtherServers = folder === undefined || folder === ''

/** A request as aimock shows it. */
interface AimockRequest {
  readonly messages: readonly { readonly content: unknown }[]
}

/** Which requests a fixture answers. */
interface AimockMatch {
  /** Part of the last message of the user. */
  readonly userMessage?: string
  /** The only request to answer, counted from 0 among those with the same message. */
  readonly sequenceIndex?: number
}

type AimockResponse =
  | { readonly content: string; readonly usage?: object; readonly finishReason?: string }
  | {
      readonly status: number
      readonly error: { readonly type: string; readonly message: string }
      /** In seconds. */
      readonly retryAfter?: number
    }

/** How aimock disturbs its response. */
interface AimockOptions {
  readonly truncateAfterChunks?: number
  readonly chunkSize?: number
  /** Milliseconds between two chunks. */
  readonly latency?: number
  readonly chaos?: Readonly<
    Partial<Record<'dropRate' | 'malformedRate' | 'rateLimitRate' | 'disconnectRate' | 'latencyMs', number>>
  >
}

export interface Aimock {
  readonly url: string
  /** Adds a fixture. The first one that matches answers. */
  on(
    match: AimockMatch,
    response: AimockResponse | ((request: AimockRequest) => AimockResponse),
    options?: AimockOptions,
  ): this
  /** Returns the requests that were answered. */
  getRequests(): readonly { readonly path: string; readonly response: { readonly status: number } }[]
  start(): Promise<string>
  stop(): Promise<void>
}

/** Starts aimock, a mock server of LLM APIs. @param keys the only keys it accepts; default: it accepts all */
export async function startAimock(keys?: readonly string[]): Promise<Aimock> {
  const { LLMock } = createRequire(join(folder ?? '', 'package.json'))('@copilotkit/aimock') as {
    readonly LLMock: new (options: object) => Aimock
  }
  const aimock = new LLMock({ port: 0, ...(keys !== undefined && { auth: { apiKeys: keys } }) })
  await aimock.start()
  onTestFinished(() => aimock.stop())
  return aimock
}

/** Starts the gateway of Portkey. @returns its address */
export async function startPortkey(): Promise<string> {
  const port = await findFreePort()
  const program = join(folder ?? '', 'node_modules/@portkey-ai/gateway/build/start-server.js')
  const child = spawn(process.execPath, [program, `--port=${port}`, '--headless'], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let logged = ''
  child.stderr.on('data', (chunk) => {
    logged += String(chunk)
  })
  const closed = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await closed
  })
  await vi.waitUntil(() => {
    if (child.exitCode !== null) throw new Error(`the gateway: ${logged}`)
    return acceptsConnections(port)
  }, longWait)
  return `http://127.0.0.1:${port}`
}
