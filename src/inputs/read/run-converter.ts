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
export async function runConverter({
  command: [program, ...args],
  cwd,
  env,
  signal,
  endProcessGroup,
  timeoutMs = 60_000,
  maxMemoryBytes = 1e9,
  maxOutputBytes = 50e6,
}: ConverterOptions): Promise<Buffer | InputProblem> {
  signal?.throwIfAborted()
  const name = JSON.stringify(escapeControlChars(basename(program)))
  const fail = (what: string): InputProblem => ({
    action: 'fail',
    type: 'convert_failed',
    message: `the converter ${name} ${what}`,
  })
  let child: ChildProcess
  try {
    // A group of processes can be ended together. A terminal does not send Ctrl-C to it.
    child = spawn(program, args, {
      cwd,
      env,
      detached: true,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    // Some errors, such as a path through a file, are thrown before the program starts.
    return fail(describeStartError(error as NodeJS.ErrnoException))
  }
  const { pid } = child
  let stoppedBecause: string | undefined
  const stop = (why: string) => {
    stoppedBecause ??= why
    if (pid !== undefined) endProcessGroup(pid)
    // A process that has left the group may keep the pipes open.
    child.stdout?.destroy()
    child.stderr?.destroy()
  }
  const onAbort = () => stop('was stopped with the run')
  signal?.addEventListener('abort', onAbort)
  const timer = setTimeout(() => stop(`took longer than ${timeoutMs / 1000} s, and was ended`), timeoutMs)
  const stopWatching =
    pid === undefined
      ? () => {}
      : watchMemory(pid, maxMemoryBytes, () =>
          stop(`used more than ${maxMemoryBytes / 1e9} GB of memory, and was ended`),
        )
  const output: Buffer[] = []
  let [outputBytes, errors] = [0, Buffer.alloc(0)]
  child.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length
    if (outputBytes > maxOutputBytes) stop(`printed more than ${maxOutputBytes / 1e6} MB, and was ended`)
    else output.push(chunk)
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = Buffer.concat([errors, chunk]).subarray(-maxErrorBytes)
  })
  try {
    const end = await waitForEnd(child, () => pid !== undefined && endProcessGroup(pid))
    signal?.throwIfAborted()
    if (stoppedBecause !== undefined) return fail(stoppedBecause)
    if (end.error !== undefined) return fail(describeStartError(end.error))
    if (end.signal !== null) return fail(`was ended by ${end.signal}${formatLastLine(errors)}`)
    if (end.code !== 0) return fail(`failed with exit code ${end.code}${formatLastLine(errors)}`)
    const printed = Buffer.concat(output)
    return printed.toString('latin1').trim() === ''
      ? fail(`printed nothing${formatLastLine(errors)}`)
      : printed
  } finally {
    clearTimeout(timer)
    stopWatching()
    signal?.removeEventListener('abort', onAbort)
  }
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
    child.on('exit', () => {
      onExit()
      setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
      }, pipeTimeoutMs).unref()
    })
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
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
function watchMemory(group: number, maxBytes: number, onTooMuch: () => void): () => void {
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
