import { PassThrough, Readable } from 'node:stream'
import { onTestFinished, vi } from 'vitest'
import { exitCodes } from '../../src/errors.ts'
import { main } from '../../src/main.ts'
import type { StopSignal } from '../../src/runtime.ts'
import type { SimulatorOptions } from '../../src/simulator/simulator.ts'
import { realClock } from './real-clock.ts'
import { createFolder, startService } from './run-cli.ts'

export interface ServeProcess {
  /** The address of the server. */
  readonly url: string
  readonly simulator: Awaited<ReturnType<typeof startService>>['simulator']
  /** Returns the stderr output so far. */
  readonly getStderr: () => string
  readonly sendSignal: (name: StopSignal) => void
  /** Resolves with the exit code when the server has ended. */
  readonly exitCode: Promise<number>
  /** Sends a POST request to `/stream`. */
  readonly post: (body: unknown, init?: RequestInit) => Promise<Response>
}

export interface StartServeOptions {
  /** Options of the simulator. */
  readonly service?: SimulatorOptions
  readonly env?: Readonly<Record<string, string>>
  /** Files in the working directory. */
  readonly files?: Readonly<Record<string, string>>
}

/** Runs `claude-batch serve` in this process, on a free port, until the test ends. */
export async function startServe(
  flags: readonly string[] = [],
  { service = {}, env: more = {}, files = {} }: StartServeOptions = {},
): Promise<ServeProcess> {
  const { simulator, env } = await startService(service)
  // The SDK searches for credentials itself.
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  let said = ''
  stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  let signal: (name: StopSignal) => void = () => {}
  const ended = main({
    argv: ['serve', '--port', '0', ...flags],
    env: { ...env, ...more },
    cwd: await createFolder(files),
    stdin: Readable.from([]) as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    clock: realClock,
    random: Math.random,
    platform: 'Node.js 22.0.0 on linux x64',
    getCpuTimeMs: () => performance.now(),
    pid: 1,
    uid: process.getuid?.(),
    isRunning: () => false,
    endProcessGroup: () => {},
    redirectWarnings() {},
    getStdoutKind: () => 'stream',
    isRedirectTarget: () => false,
    confirm: async () => undefined,
    onStopSignal(listener) {
      signal = listener
      return () => {}
    },
  }).then((exit) => exitCodes[exit].code)
  const address = new Promise<string>((resolve) => {
    stdout.once('data', (chunk) => resolve(String(chunk).trim()))
  })
  const url = await Promise.race([address, ended.then((code) => `exit ${code}: ${said}`)])
  onTestFinished(async () => {
    // The first signal drains; another one half a second later aborts the requests in flight.
    const again = setInterval(() => signal('SIGTERM'), 50)
    await ended
    clearInterval(again)
  })
  return {
    url,
    simulator,
    getStderr: () => said,
    sendSignal: (name) => signal(name),
    exitCode: ended,
    post: (body, init = {}) =>
      fetch(`${url}/stream`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...init.headers },
      }),
  }
}

/** Yields the events of a response as they arrive; a comment has the key `beat`. */
export async function* readEvents(response: Response): AsyncGenerator<Record<string, unknown>> {
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const parts = (rest + Buffer.from(chunk).toString('utf8')).split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts)
      yield part.startsWith(':') ? { beat: part } : (JSON.parse(part.slice(6)) as Record<string, unknown>)
  }
}

/** Reads all events of a response. */
export async function readAllEvents(response: Response): Promise<Record<string, unknown>[]> {
  const events: Record<string, unknown>[] = []
  for await (const event of readEvents(response)) events.push(event)
  return events
}
