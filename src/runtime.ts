import { once } from 'node:events'
import { fstatSync, readSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './core/run/clock.ts'
import { findSecrets } from './core/text/find-secrets.ts'
import { createRedactor } from './core/text/redact.ts'
import { type Exit, exitCodes } from './errors.ts'

/** Everything the program may touch. This is the only file that names `process`. */
export interface Runtime {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** `closed`: the program was started without one, and what is written to it is lost. */
  getStdoutKind(): 'closed' | 'file' | 'stream'
  /** Whether stdout or stderr is redirected to this very file. */
  isRedirectTarget(file: FileIdentity): boolean
  /**
   * Puts a question to whoever sits at the terminal; only a clear yes is one. Undefined where nobody does.
   * @throws the signal's reason
   */
  confirm(question: string, signal: AbortSignal): Promise<boolean | undefined>
  readonly clock: Clock
  readonly random: () => number
  /** This process's id. */
  readonly pid: number
  /** This user's id; undefined where the system has none. */
  readonly uid: number | undefined
  /** Whether there is a process of that id now. */
  isRunning(pid: number): boolean
  /** Calls back at each signal that asks to stop; the function returned stops listening. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void
}

/** What tells one file of this machine from all others, whatever its names. */
interface FileIdentity {
  readonly dev: number
  readonly ino: number
}

export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof stopSignals)[number]

/** How a run that was stopped by each of them ends. */
export const exitBySignal = {
  SIGINT: 'interrupt',
  SIGTERM: 'terminate',
  SIGHUP: 'hangup',
} as const satisfies Record<StopSignal, Exit>

/** What a library may take from the process it is used in: it listens to nothing there and writes nothing. */
export function createLibraryRuntime(): Pick<Runtime, 'env' | 'cwd' | 'clock' | 'random'> {
  return { env: process.env, cwd: getWorkingDirectory(), clock: realClock, random: Math.random }
}

/** The real one. */
export function createProcessRuntime(): Runtime {
  // A reader of stderr that left must not end a run that is being paid for.
  process.stderr.on('error', () => {})
  return {
    ...createLibraryRuntime(),
    argv: process.argv.slice(2),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    getStdoutKind,
    isRedirectTarget,
    confirm,
    pid: process.pid,
    uid: process.getuid?.(),
    isRunning,
    onStopSignal(listener) {
      for (const signal of stopSignals) process.on(signal, listener)
      const parentWatch = isStartedByNpx() ? watchParent(() => listener('SIGTERM')) : undefined
      return () => {
        clearInterval(parentWatch)
        for (const signal of stopSignals) process.off(signal, listener)
      }
    },
  }
}

/** Node opens /dev/null in place of a stdout that is closed, and, unlike a shell, for reading too. */
function getStdoutKind(): ReturnType<Runtime['getStdoutKind']> {
  try {
    const stats = fstatSync(1)
    if (stats.isFile()) return 'file'
    if (stats.rdev !== statSync('/dev/null').rdev) return 'stream'
    readSync(1, Buffer.alloc(1))
    return 'closed'
  } catch {
    return 'stream'
  }
}

function isRedirectTarget({ dev, ino }: FileIdentity): boolean {
  return [1, 2].some((descriptor) => {
    try {
      const stats = fstatSync(descriptor)
      return ino !== 0 && stats.dev === dev && stats.ino === ino
    } catch {
      // It is closed.
      return false
    }
  })
}

async function confirm(question: string, signal: AbortSignal): Promise<boolean | undefined> {
  const { stdin: input, stderr: output } = process
  if (!input.isTTY || !output.isTTY) return undefined
  // The terminal's own editing of lines will do, and leaves Ctrl-C a signal.
  const lineReader = createInterface({ input, output, terminal: false })
  try {
    output.write(question)
    // At its end (Ctrl-D) nothing was said.
    const [answer = ''] = (await Promise.race([
      once(lineReader, 'line', { signal }),
      once(lineReader, 'close', { signal }),
    ]).catch((error: unknown) => {
      throw signal.aborted ? signal.reason : error
    })) as [string?]
    return /^\s*y(es)?\s*$/i.test(answer)
  } finally {
    lineReader.close()
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process is one all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function isStartedByNpx(): boolean {
  return process.env['npm_command'] === 'exec' || process.env['npm_lifecycle_event'] === 'npx'
}

/** npx passes no signal on (npm/cli#6684): to end it, as `timeout` does, must not leave us running without anybody. */
function watchParent(onParentExit: () => void): NodeJS.Timeout {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onParentExit()
  }, 1000)
  return timer.unref()
}

/** It can be gone; then paths relative to it are too, and are told as such. */
function getWorkingDirectory(): string {
  try {
    return process.cwd()
  } catch {
    return process.env['PWD'] ?? '/'
  }
}

const realClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  async sleep(ms, signal) {
    // A timer above 2³¹−1 ms fires at once, so a long wait is made of parts.
    for (let left = ms; left > 0; left -= maxTimerMs) {
      await delay(Math.min(left, maxTimerMs), undefined, signal && { signal }).catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : error
      })
    }
  },
}

const maxTimerMs = 2 ** 31 - 1

/**
 * Says what would otherwise go by in silence, or in Node's own words: an error that nobody caught, and an event loop
 * that ran empty with work still to do. Both end the process with 70.
 * @returns to be called when the work is over
 */
export function reportCrashes(): () => void {
  const formatBug = (what: string) => {
    const { redact } = createRedactor(findSecrets(process.env))
    return `claude-batch: this is a bug, please report it: ${redact(what)}\n`
  }
  process.on('uncaughtException', (error) => {
    // What is written is whole and recorded; nothing here could make it more so.
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(formatBug(what), () => process.exit(exitCodes.bug.code))
  })
  const onEmptyEventLoop = () => void process.stderr.write(formatBug('it ended with work still to do'))
  process.once('beforeExit', onEmptyEventLoop)
  return () => process.off('beforeExit', onEmptyEventLoop)
}

/**
 * Ends the process in the way `exit` says, once everything written has gone out. After a signal it dies by that very
 * signal, so that a shell's loop stops too.
 */
export function exitProcess(exit: Exit): void {
  process.exitCode = exitCodes[exit].code
  const signal = stopSignals.find((name) => exitBySignal[name] === exit)
  if (signal !== undefined) process.kill(process.pid, signal)
}
