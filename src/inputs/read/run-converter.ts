import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { InputProblem } from '../../core/document/document.ts'
import { escapeControlChars } from '../../core/text/escape-control-chars.ts'
import { truncate } from '../../core/text/truncate.ts'

interface ConverterLimits {
  /** Milliseconds. @default 60 000 */
  readonly timeoutMs?: number | undefined
  /** Memory of the program and everything that it starts, in bytes, on Linux. @default 1 GB */
  readonly maxMemoryBytes?: number | undefined
  /** @default 50 MB */
  readonly maxOutputBytes?: number | undefined
}

export interface ConverterOptions extends ConverterLimits {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends the program when it is aborted. */
  readonly signal?: AbortSignal | undefined
  /** Ends a process and all processes of its group; does nothing if there are none. */
  readonly endProcessGroup: (pid: number) => void
}

/**
 * Runs a program of the user without a shell and without stdin, and returns what it prints. Everything that it has
 * started is ended when it exits, exceeds a limit or is aborted.
 * @throws the reason of the signal, if it is aborted
 */
export async function runConverter(options: ConverterOptions): Promise<Buffer | InputProblem> {
  const { command, signal, timeoutMs = 60_000, maxMemoryBytes = 1e9, maxOutputBytes = 50e6 } = options
  signal?.throwIfAborted()
  const name = JSON.stringify(escapeControlChars(basename(command[0])))
  const fail = (what: string): InputProblem => ({
    action: 'fail',
    type: 'convert_failed',
    message: `the converter ${name} ${what}`,
  })
  let program: Program
  try {
    program = startProgram(options, maxOutputBytes)
  } catch (error) {
    // Some errors, such as a path through a file, are thrown before the program starts.
    return fail(describeStartError(error as NodeJS.ErrnoException))
  }
  const onAbort = () => program.stop('was stopped with the run')
  signal?.addEventListener('abort', onAbort)
  const timer = setTimeout(
    () => program.stop(`took longer than ${timeoutMs / 1000} s, and was ended`),
    timeoutMs,
  )
  const stopWatching = watchMemory(program.pid, maxMemoryBytes, () =>
    program.stop(`used more than ${maxMemoryBytes / 1e9} GB of memory, and was ended`),
  )
  try {
    const { failure, output } = await program.ended
    signal?.throwIfAborted()
    return failure === undefined ? output : fail(failure)
  } finally {
    clearTimeout(timer)
    stopWatching()
    signal?.removeEventListener('abort', onAbort)
  }
}

/** A program that is running. */
interface Program {
  /** Undefined if it did not start. */
  readonly pid: number | undefined
  /** Ends it and all that it has started. @param why the end of a message about it */
  stop(why: string): void
  /** Resolves when it has ended, with what it has printed, or the end of a message about what went wrong. */
  readonly ended: Promise<{ readonly output: Buffer; readonly failure: string | undefined }>
}

function startProgram(
  { command: [file, ...args], cwd, env, endProcessGroup }: ConverterOptions,
  maxOutputBytes: number,
): Program {
  // A group of processes can be ended together. A terminal does not send Ctrl-C to it.
  const child = spawn(file, args, {
    cwd,
    env,
    detached: true,
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { pid, stdout, stderr } = child
  const output: Buffer[] = []
  let [outputBytes, errors] = [0, Buffer.alloc(0)]
  let stoppedBecause: string | undefined
  const closePipes = () => {
    stdout.destroy()
    stderr.destroy()
  }
  const stop = (why: string) => {
    stoppedBecause ??= why
    // The id of a process that has ended may belong to another one.
    if (pid !== undefined && child.exitCode === null && child.signalCode === null) endProcessGroup(pid)
    // A process that has left the group may keep the pipes open.
    closePipes()
  }
  stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length
    if (outputBytes > maxOutputBytes) stop(`printed more than ${maxOutputBytes / 1e6} MB, and was ended`)
    else output.push(chunk)
  })
  stderr.on('data', (chunk: Buffer) => {
    errors = Buffer.concat([errors, chunk]).subarray(-maxErrorBytes)
  })
  const onExit = () => {
    if (pid !== undefined) endProcessGroup(pid)
    setTimeout(closePipes, pipeTimeoutMs).unref()
  }
  const ended = waitForEnd(child, onExit).then((end) => {
    const printed = Buffer.concat(output)
    return { output: printed, failure: stoppedBecause ?? describeEnd(end, printed, errors) }
  })
  return { pid, stop, ended }
}

/** Bytes of stderr that are kept. */
const maxErrorBytes = 4096

/** Milliseconds that pipes may stay open after the program has ended. */
const pipeTimeoutMs = 2000

interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly error?: NodeJS.ErrnoException
}

/** Waits until the program has ended and all that it has printed is read. @param onExit called when it has ended */
function waitForEnd(child: ChildProcess, onExit: () => void): Promise<End> {
  return new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => resolve({ code: null, signal: null, error }))
    child.on('exit', onExit)
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
}

function describeEnd({ code, signal, error }: End, output: Buffer, errors: Buffer): string | undefined {
  if (error !== undefined) return describeStartError(error)
  const details = formatLastLine(errors)
  if (signal !== null) return `was ended by ${signal}${details}`
  if (code !== 0) return `failed with exit code ${code}${details}`
  return output.toString().trim() === '' ? `printed nothing${details}` : undefined
}

function describeStartError({ code }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'was not found; install it, or change --convert'
  if (code === 'EACCES') return 'may not be run'
  if (code === 'E2BIG') return 'cannot be run: its arguments are too long'
  return `cannot be run (${String(code)})`
}

/** Returns the last line of stderr, if there is one, as the end of a message. */
function formatLastLine(errors: Buffer): string {
  const lines = errors.toString().split(/[\r\n]+/)
  const last = lines.map((line) => line.trim()).findLast((line) => line !== '')
  return last === undefined ? '' : `: ${truncate(escapeControlChars(last), maxMessageChars)}`
}

const maxMessageChars = 300

/** Milliseconds between two looks at the memory. */
const memoryIntervalMs = 250

/**
 * Calls a function when the processes of a group use too much memory together. Does nothing on systems without
 * `/proc`.
 * @returns a function that ends the watch
 */
function watchMemory(group: number | undefined, maxBytes: number, onTooMuch: () => void): () => void {
  if (group === undefined) return () => {}
  let isEnded = false
  let timer: NodeJS.Timeout | undefined
  const look = async () => {
    const bytes = await measureGroup(group)
    if (isEnded || bytes === undefined) return
    if (bytes > maxBytes) onTooMuch()
    else timer = setTimeout(() => void look(), memoryIntervalMs)
  }
  timer = setTimeout(() => void look(), memoryIntervalMs)
  return () => {
    isEnded = true
    clearTimeout(timer)
  }
}

/** Returns the memory of a group of processes in bytes; undefined if the system does not show it. */
async function measureGroup(group: number): Promise<number | undefined> {
  const ids = await readdir('/proc').catch(() => undefined)
  if (ids === undefined) return undefined
  const sizes = await Promise.all(
    ids
      .filter((id) => /^\d+$/.test(id))
      .map(async (id) => {
        // A process may end at any time.
        const stat = await readFile(`/proc/${id}/stat`, 'latin1').catch(() => '')
        // The name of the program, in parentheses, may contain anything.
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        if (Number(fields[2]) !== group) return 0
        const status = await readFile(`/proc/${id}/status`, 'latin1').catch(() => '')
        return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
      }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
