import { readFile } from 'node:fs/promises'
import { setImmediate as nextEventLoopTurn } from 'node:timers/promises'
import { resolveAsset } from './assets.ts'
import { runCli } from './cli.ts'
import { RunError } from './core/errors/run-error.ts'
import { escapeControlChars } from './core/text/escape-control-chars.ts'
import { findSecrets } from './core/text/find-secrets.ts'
import { createRedactor } from './core/text/redact.ts'
import { type Exit, toEnding, UsageError } from './errors.ts'
import type { Runtime } from './runtime.ts'
import { createStreamWriter, streamWriteError } from './storage/fs/stream-writer.ts'

/** The whole program: from the world it may touch to how it ends. Known errors are one line, bugs show their stack. */
export async function main(runtime: Runtime): Promise<Exit> {
  const finishStdout = watchStdout(runtime.stdout)
  try {
    const exit = await runCli(runtime, await readPackageVersion())
    if (exit === 'ok') await finishStdout()
    return exit
  } catch (error) {
    const { exit, text } = describeError(error)
    // Messages and stacks of bugs may quote anything.
    const { redact } = createRedactor(findSecrets(runtime.env))
    // As it was meant to be, by whoever takes the head of a list.
    if (exit !== 'brokenPipe')
      runtime.stderr.write(`claude-batch: ${escapeControlChars(redact(text), '\n')}\n`)
    return exit
  }
}

/**
 * Whatever writes to stdout and goes on need not look after it: that its reader left, or the disk is full, is told at
 * the end.
 * @returns to be called then. @throws RunError
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
  if (error instanceof UsageError)
    return { exit: error.exit, text: `${error.message} (see claude-batch --help)` }
  if (error instanceof RunError) return toEnding(error)
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  if (code === 'EMFILE' || code === 'ENFILE')
    return { exit: 'ioError', text: 'too many open files (raise ulimit -n, or lower --concurrency)' }
  const stack = error instanceof Error ? error.stack : String(error)
  return { exit: 'bug', text: `this is a bug, please report it:\n${stack}` }
}

async function readPackageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(resolveAsset('../package.json'), 'utf8')) as {
    version: string
  }
  return version
}
