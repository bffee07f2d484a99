import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { vi } from 'vitest'
import { exitCodes } from '../../src/errors.ts'
import { main } from '../../src/main.ts'
import { type FaultPlan, injectFaults } from './fault-fs.mjs'
import { realClock } from './real-clock.ts'

export interface EndedHere {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Processes that there are not, so that whoever is met later is dead. */
let pid = 2 ** 22

interface HereOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Not one that kills; and then no other run goes on here. */
  readonly faults?: FaultPlan
  /** To every question; without one nobody is there to ask. */
  readonly answer?: boolean
  /** Of all jitter; `() => 0` waits for nothing. */
  readonly random?: () => number
}

/**
 * Runs the program in this very process: a twentieth of the time that a process of its own takes to start. Whatever
 * an earlier one left, it looks as if its process had died.
 */
export async function runHere(
  args: readonly string[],
  { cwd, env, faults, answer, random = Math.random }: HereOptions,
): Promise<EndedHere> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const said = [text(stdout), text(stderr)] as const
  // The SDK looks for credentials by itself.
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  if (faults !== undefined) injectFaults(faults)
  const exit = await main({
    argv: args,
    env,
    cwd,
    stdin: Readable.from([]) as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    clock: realClock,
    random,
    pid: ++pid,
    uid: process.getuid?.(),
    isRunning: () => false,
    stdoutIs: () => 'stream',
    confirm: async (question) => {
      if (answer !== undefined) stderr.write(`${question}\n`)
      return answer
    },
    onStop: () => () => {},
  })
  if (faults !== undefined) injectFaults({})
  stdout.end()
  stderr.end()
  return { code: exitCodes[exit].code, stdout: await said[0], stderr: await said[1] }
}
