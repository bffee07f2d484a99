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

/** Processes that there are not, so that whoever is met later is dead. */
let pid = 2 ** 22

/** Runs that go on now. */
let activeRuns = 0

interface InProcessOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** What comes on stdin, which is a pipe. */
  readonly input?: string
  /** Not one that kills; and then no other run goes on here. */
  readonly faults?: FaultPlan
  /** What stdout answers to everything that is written. */
  readonly stdoutError?: 'EPIPE' | 'ENOSPC'
  /** To every question; without one nobody is there to ask. */
  readonly confirmAnswer?: boolean | (() => Promise<boolean>)
  /** Whether there is a process of that id. */
  readonly isRunning?: (pid: number) => boolean
  /** Whether stdout or stderr is redirected to this file. */
  readonly isRedirectTarget?: (file: { readonly ino: number }) => boolean
  /** Time goes by so many times as fast for whoever sleeps. */
  readonly clockSpeed?: number
  /** Of all jitter; `() => 0` waits for nothing. */
  readonly random?: () => number
  /** Is given what delivers a signal to the program. */
  readonly onSignalSender?: (deliver: (signal: StopSignal) => void) => void
}

/**
 * Runs the program in this very process: a twentieth of the time that a process of its own takes to start. Whatever
 * an earlier one left, it looks as if its process had died, unless `isRunning` tells otherwise.
 */
export async function runInProcess(
  args: readonly string[],
  {
    cwd,
    stdoutError,
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
  // The SDK looks for credentials by itself, and shall find no others.
  for (const name of Object.keys(process.env))
    if (/^(ANTHROPIC_|XDG_|HOME$)/.test(name)) vi.stubEnv(name, env[name])
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  if (faults !== undefined) injectFaults(faults)
  const exit = await main({
    argv: args,
    env,
    cwd,
    stdin: Readable.from([Buffer.from(input)]) as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    clock: { ...realClock, sleep: (ms, signal) => realClock.sleep(ms / clockSpeed, signal) },
    random,
    pid: ++pid,
    uid: process.getuid?.(),
    isRunning,
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
