import { readFile } from 'node:fs/promises'
import { setImmediate as nextEventLoopTurn } from 'node:timers/promises'
import { resolveAsset } from './assets.ts'
import { runCli } from './cli.ts'
import { RunError } from './core/errors/run-error.ts'
import { findSecrets } from './core/text/find-secrets.ts'
import { createRedactor } from './core/text/redact.ts'
import { type Exit, exitCodes, toEnding, UsageError } from './errors.ts'
import { createProcessRuntime, exitProcess, type Runtime, reportCrashes } from './runtime.ts'
import { createStreamWriter, streamWriteError } from './storage/fs/stream-writer.ts'
import { getEventWriter } from './ui/event-streams.ts'
import { printMessage } from './ui/print-message.ts'

/** Runs the program in this process, and ends the process. */
export async function start(): Promise<void> {
  const stopReporting = reportCrashes(printCrash)
  const exit = await main(createProcessRuntime())
  stopReporting()
  exitProcess(exit)
}

/** Runs the program and returns how it ends. Prints a known error as one line, and a bug with its stack. */
export async function main(runtime: Runtime): Promise<Exit> {
  const exit = await runToEnd(runtime)
  getEventWriter(runtime.stderr)?.end(exitCodes[exit].code)
  return exit
}

async function runToEnd(runtime: Runtime): Promise<Exit> {
  const finishStdout = watchStdout(runtime.stdout)
  try {
    const exit = await runCli(runtime, await readPackageVersion())
    if (exit === 'ok') await finishStdout()
    return exit
  } catch (error) {
    const { exit, text } = describeError(error)
    // Messages and stack traces may quote secrets.
    const { redact } = createRedactor(findSecrets(runtime.env))
    // A reader that closes the pipe early, such as `head`, expects no message.
    if (exit !== 'brokenPipe') printMessage(runtime, redact(text), '\n')
    return exit
  }
}

/** Prints a description of a bug that ends the process. */
function printCrash(stderr: Runtime['stderr'], description: string): void {
  printMessage({ stderr }, formatBug(description), '\n')
  getEventWriter(stderr)?.end(exitCodes.bug.code)
}

/**
 * Records the first error of stdout (a closed pipe, a full disk), so that commands need not handle it.
 * @returns a function that waits until stdout has written everything, and throws a RunError for the recorded
 *   error
 */
function watchStdout(stdout: Runtime['stdout']): () => Promise<void> {
  let writeError: Error | undefined
  stdout.on('error', (error) => {
    writeError ??= error
  })
  return async () => {
    await nextEventLoopTurn()
    if (writeError !== undefined) throw streamWriteError('stdout', writeError)
    if (stdout.writableLength > 0) await createStreamWriter(stdout, 'stdout')('')
  }
}

function describeError(error: unknown): { exit: Exit; text: string } {
  if (error instanceof UsageError) return { exit: error.exit, text: error.message }
  if (error instanceof RunError) return toEnding(error)
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  if (code === 'EMFILE' || code === 'ENFILE')
    return { exit: 'ioError', text: 'too many open files (raise ulimit -n, or lower --concurrency)' }
  const stack = error instanceof Error ? error.stack : String(error)
  return { exit: 'bug', text: formatBug(`\n${stack}`) }
}

function formatBug(description: string): string {
  return `this is a bug, please report it:${description}`
}

async function readPackageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(resolveAsset('../package.json'), 'utf8')) as {
    version: string
  }
  return version
}
