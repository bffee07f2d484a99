import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { vi } from 'vitest'
import { exitCodes } from '../../src/errors.ts'
import { main } from '../../src/main.ts'
import type { StopSignal } from '../../src/runtime.ts'
import { type FaultPlan, injectFaults } from './fault-fs.mjs'
import { realClock } from './real-clock.ts'

export interface InProcessResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Process ids above the limit of Linux, so that the owner of a lock seems dead to later runs. */
let pid = 2 ** 22

/** The number of runs in progress. */
let activeRuns = 0

interface InProcessOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** The content of stdin, which is a pipe. */
  readonly input?: string | Uint8Array
  /** File-system faults, except for `kill`. No other run may be in progress then. */
  readonly faults?: FaultPlan
  /** The error with which every write to stdout fails. */
  readonly stdoutError?: 'EPIPE' | 'ENOSPC'
  /** The answer to every question; without one, there is no terminal to ask on. */
  readonly confirmAnswer?: boolean | (() => Promise<boolean>)
  /** Whether a process with that id is running. */
  readonly isRunning?: (pid: number) => boolean
  /** The width of the terminal, in characters. */
  readonly columns?: number
  /** Whether stdout or stderr is redirected to this file. */
  readonly isRedirectTarget?: (file: { readonly ino: number }) => boolean
  /** The factor by which waits are shortened. */
  readonly clockSpeed?: number
  /** The source of all jitter; `() => 0` avoids waits. */
  readonly random?: () => number
  /** Receives a function that delivers a signal to the program. */
  readonly onSignalSender?: (deliver: (signal: StopSignal) => void) => void
}

/**
 * Runs the program in this process, which takes a twentieth of the time to start a separate process. The
 * processes of earlier runs seem dead to the program, unless `isRunning` is given.
 */
export async function runInProcess(
  args: readonly string[],
  {
    cwd,
    stdoutError,
    columns,
    env = {},
    input = '',
    faults,
    confirmAnswer,
    isRunning = () => false,
    isRedirectTarget = () => false,
    random = Math.random,
    clockSpeed = 1,
    onSignalSender,
  }: InProcessOptions,
): Promise<InProcessResult> {
  const [stdout, stderr] = [
    new PassThrough(stdoutError && { write: createFailingStream(stdoutError) }),
    new PassThrough(),
  ]
  const said = [stdoutError === undefined ? text(stdout) : '', text(stderr)] as const
  activeRuns++
  // The SDK searches for credentials itself and must find no others.
  for (const name of Object.keys(process.env))
    if (/^(ANTHROPIC_|XDG_|HOME$)/.test(name)) vi.stubEnv(name, env[name])
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  if (faults !== undefined) injectFaults(faults)
  const exit = await main({
    argv: args,
    env,
    cwd,
    stdin: Readable.from([Buffer.from(input)]) as NodeJS.ReadStream,
    stdout: Object.assign(stdout, { columns }) as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    clock: { ...realClock, sleep: (ms, signal) => realClock.sleep(ms / clockSpeed, signal) },
    random,
    platform: 'Node.js 22.0.0 on linux x64',
    getCpuTimeMs: () => performance.now(),
    pid: ++pid,
    uid: process.getuid?.(),
    isRunning,
    endProcessGroup: (group) => {
      try {
        process.kill(-group, 'SIGKILL')
      } catch {
        // It has ended.
      }
    },
    redirectWarnings() {},
    getStdoutKind: () => 'stream',
    isRedirectTarget,
    confirm: async (question) => {
      if (confirmAnswer !== undefined) stderr.write(`${question}\n`)
      return typeof confirmAnswer === 'function' ? confirmAnswer() : confirmAnswer
    },
    onStopSignal(listener) {
      onSignalSender?.(listener)
      return () => {}
    },
  })
  if (faults !== undefined) injectFaults({})
  if (--activeRuns === 0) vi.unstubAllEnvs()
  stdout.end()
  stderr.end()
  return { code: exitCodes[exit].code, stdout: await said[0], stderr: await said[1] }
}

function createFailingStream(code: string) {
  return (_chunk: unknown, _encoding: string, done: (error: Error) => void) =>
    done(Object.assign(new Error(`write ${code}`), { code }))
}
