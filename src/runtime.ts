import { once } from 'node:events'
import { fstatSync, readFileSync, readSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from './core/run/clock.ts'
import { findSecrets } from './core/text/find-secrets.ts'
import { createRedactor } from './core/text/redact.ts'
import { type Exit, exitCodes } from './errors.ts'

/**
 * Everything outside the program that it may use: streams, clock, signals, environment. Only this file uses
 * `process`.
 */
export interface Runtime {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /**
   * Returns what stdout is. `closed`: the program was started without a stdout, and everything written to it
   * is lost.
   */
  getStdoutKind(): 'closed' | 'file' | 'pipe' | 'stream'
  /** Whether stdout or stderr is redirected to this file. */
  isRedirectTarget(file: FileIdentity): boolean
  /**
   * Asks the user a question on the terminal.
   * @returns whether the answer was yes; undefined without a terminal
   * @throws the signal's reason
   */
  confirm(question: string, signal: AbortSignal): Promise<boolean | undefined>
  /** `Node.js 22.11.0 on linux x64` */
  readonly platform: string
  readonly clock: Clock
  readonly random: () => number
  /** Returns the CPU time that the process has used, in milliseconds. */
  getCpuTimeMs(): number
  /** Id of this process. */
  readonly pid: number
  /** Id of the user; undefined if the system has no user ids. */
  readonly uid: number | undefined
  /** Whether a process with this id is running. */
  isRunning(pid: number): boolean
  /** Ends a process and all processes of its group; on Windows, only the process. */
  endProcessGroup(pid: number): void
  /**
   * Calls `listener` at each signal that asks the program to stop.
   * @returns a function that removes the listener
   */
  onStopSignal(listener: (signal: StopSignal) => void): () => void
  /** Passes the warnings of Node.js to `print`; without this call, Node.js prints them on stderr. */
  redirectWarnings(print: (text: string) => void): void
}

/** Device and inode number, which identify a file of this machine under all its names. */
interface FileIdentity {
  readonly dev: number
  readonly ino: number
}

export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof stopSignals)[number]

/** The exit of a run that was stopped by each signal. */
export const exitBySignal = {
  SIGINT: 'interrupt',
  SIGTERM: 'terminate',
  SIGHUP: 'hangup',
} as const satisfies Record<StopSignal, Exit>

/** What the library may use. It registers no listeners and writes nothing. */
interface LibraryRuntime extends Pick<Runtime, 'env' | 'cwd' | 'clock' | 'random' | 'getCpuTimeMs'> {
  /** Emits a warning of the process, which Node.js prints on stderr by default. */
  warn(text: string): void
}

/** Returns the part of the runtime that the library may use. */
export function createLibraryRuntime(): LibraryRuntime {
  return {
    env: process.env,
    cwd: getWorkingDirectory(),
    clock: realClock,
    random: Math.random,
    warn: (text) => process.emitWarning(text, 'ClaudeBatchWarning'),
    getCpuTimeMs,
  }
}

/** Returns the runtime of this process. */
export function createProcessRuntime(): Runtime {
  // A closed stderr must not end a run that costs money.
  process.stderr.on('error', () => {})
  // Keeps the AWS SDK from printing that its later versions will need a newer Node.js.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'
  if (!hasHome()) process.env['HOME'] = '/nonexistent'
  return {
    ...createLibraryRuntime(),
    argv: process.argv.slice(2),
    platform: `Node.js ${process.versions.node} on ${process.platform} ${process.arch}`,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    getStdoutKind,
    isRedirectTarget,
    confirm,
    pid: process.pid,
    uid: process.getuid?.(),
    isRunning,
    endProcessGroup,
    redirectWarnings,
    onStopSignal(listener) {
      // Node.js restores the default of a signal that its parent ignored, such as nohup.
      const onHangup = isHangupIgnored() ? () => {} : listener
      const getListener = (signal: StopSignal) => (signal === 'SIGHUP' ? onHangup : listener)
      for (const signal of stopSignals) process.on(signal, getListener(signal))
      const parentWatch = isStartedByNpx() ? watchParent(() => listener('SIGTERM')) : undefined
      return () => {
        clearInterval(parentWatch)
        for (const signal of stopSignals) process.off(signal, getListener(signal))
      }
    },
  }
}

/**
 * Whether Node.js finds a home folder. It throws for a user of a container who has neither HOME nor an entry in
 * /etc/passwd, and the AWS SDK then finds no credentials at all.
 */
function hasHome(): boolean {
  try {
    return homedir() !== ''
  } catch {
    return false
  }
}

function getCpuTimeMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Returns what stdout is. Node replaces a closed stdout with /dev/null, opened for reading and writing; a
 * shell opens /dev/null for writing only.
 */
function getStdoutKind(): ReturnType<Runtime['getStdoutKind']> {
  try {
    const stats = fstatSync(1)
    if (stats.isFile()) return 'file'
    if (stats.isFIFO() || stats.isSocket()) return 'pipe'
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
      // The descriptor is closed.
      return false
    }
  })
}

async function confirm(question: string, signal: AbortSignal): Promise<boolean | undefined> {
  const { stdin: input, stderr: output } = process
  if (!input.isTTY || !output.isTTY) return undefined
  const { createInterface } = await import('node:readline')
  // Without readline's line editing, the terminal edits the line, and Ctrl-C stays a signal.
  const lineReader = createInterface({ input, output, terminal: false })
  try {
    output.write(question)
    // Ctrl-D closes the input without an answer.
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

function redirectWarnings(print: (text: string) => void): void {
  // With `node --no-warnings`, there is no listener.
  if (process.listenerCount('warning') === 0) return
  process.removeAllListeners('warning')
  process.on('warning', ({ name, message }) => print(`${name}: ${message}`))
}

function endProcessGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // All of its processes have ended.
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function isStartedByNpx(): boolean {
  return process.env['npm_command'] === 'exec' || process.env['npm_lifecycle_event'] === 'npx'
}

/**
 * Whether the program was started so that a hangup of the terminal should not stop it: by `nohup`, which shells name
 * in `_`, or by a process that ignores SIGHUP itself, such as a script under `nohup`.
 */
function isHangupIgnored(): boolean {
  if (basename(process.env['_'] ?? '') === 'nohup') return true
  try {
    const status = readFileSync(`/proc/${process.ppid}/status`, 'utf8')
    const [, mask = '0'] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status) ?? []
    // SIGHUP is signal 1, the lowest bit.
    return (BigInt(`0x${mask}`) & 1n) === 1n
  } catch {
    return false
  }
}

/**
 * Calls back when the parent process exits. npx does not forward signals (npm/cli#6684), so a killed npx, for
 * example by `timeout`, would leave this process running.
 */
function watchParent(onParentExit: () => void): NodeJS.Timeout {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    onParentExit()
  }, 1000)
  return timer.unref()
}

/**
 * Returns the working directory. If it was deleted, paths relative to it fail and are reported as missing.
 */
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
    // Node fires a timer of more than 2³¹−1 ms immediately, so a longer wait is split.
    for (let left = ms; left > 0; left -= maxTimerMs) {
      await delay(Math.min(left, maxTimerMs), undefined, signal && { signal }).catch((error: unknown) => {
        throw signal?.aborted ? signal.reason : error
      })
    }
  },
}

const maxTimerMs = 2 ** 31 - 1

/**
 * Prints a message for crashes that Node reports in other words or not at all: an uncaught exception, and an
 * event loop that runs empty before the work is done. Both end the process with exit code 70.
 * @param print prints a description of the crash on stderr
 * @returns a function to call when the work is done
 */
export function reportCrashes(print: (stderr: Runtime['stderr'], description: string) => void): () => void {
  const printRedacted = (description: string) =>
    print(process.stderr, createRedactor(findSecrets(process.env)).redact(` ${description}`))
  process.on('uncaughtException', (error) => {
    // No cleanup is needed: the files on disk are complete and recorded.
    const description = error instanceof Error ? (error.stack ?? error.message) : String(error)
    printRedacted(description)
    process.stderr.write('', () => process.exit(exitCodes.bug.code))
  })
  const onEmptyEventLoop = () => printRedacted('it ended with work still to do')
  process.once('beforeExit', onEmptyEventLoop)
  return () => process.off('beforeExit', onEmptyEventLoop)
}

/**
 * Adapts V8 to runs that send requests; see docs/decisions/0055-settings-of-v8.md. The library must not: these settings
 * apply to the whole process.
 */
export async function adaptV8(): Promise<void> {
  // V8 prints an error for a flag that it does not have.
  if (Number.parseInt(process.versions.node, 10) > newestKnownNode) return
  const { setFlagsFromString } = await import('node:v8')
  try {
    for (const flag of v8Flags) setFlagsFromString(flag)
  } catch {
    // Bun and Deno have other settings.
  }
}

const newestKnownNode = 26

const v8Flags = [
  // V8 would compile the HTTP parser of undici a second time, optimized, and the end of a short run would wait for that.
  '--no-wasm-tier-up',
  '--no-wasm-dynamic-tiering',
  // V8 would collect garbage only when the heap is four times as large as what is in use.
  '--heap-growing-percent=50',
]

/**
 * Ends the process with the code of `exit`, once all output is written. After a signal, the process kills
 * itself with the same signal, so that a shell loop stops too. Windows has no signals to end a process with: there,
 * the exit code would become 1, and SIGHUP would be an error.
 */
export function exitProcess(exit: Exit): void {
  process.exitCode = exitCodes[exit].code
  const signal = stopSignals.find((name) => exitBySignal[name] === exit)
  if (signal !== undefined && process.platform !== 'win32') process.kill(process.pid, signal)
}
