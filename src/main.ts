import { readFile } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { shipped } from './assets.ts'
import { runCli } from './cli.ts'
import { printable } from './core/text/escape-control.ts'
import { createRedactor } from './core/text/redact.ts'
import { secretsIn } from './core/text/secrets.ts'
import { type Exit, RunError, UsageError } from './errors.ts'
import type { World } from './runtime.ts'
import { notTaken, streamWriter } from './storage/fs/stream-writer.ts'

/** The whole program: from the world it may touch to how it ends. Known errors are one line, bugs show their stack. */
export async function main(world: World): Promise<Exit> {
  const written = watched(world.stdout)
  try {
    const exit = await runCli(world, await packageVersion())
    if (exit === 'ok') await written()
    return exit
  } catch (error) {
    const { exit, text } = explained(error)
    // Messages and stacks of bugs may quote anything.
    const { redact } = createRedactor(secretsIn(world.env))
    // As it was meant to be, by whoever takes the head of a list.
    if (exit !== 'readerLeft') world.stderr.write(`claude-batch: ${printable(redact(text), '\n')}\n`)
    return exit
  }
}

/**
 * Whatever writes to stdout and goes on need not look after it: that its reader left, or the disk is full, is told at
 * the end.
 * @returns to be called then. @throws RunError
 */
function watched(stdout: World['stdout']): () => Promise<void> {
  let failed: Error | undefined
  stdout.on('error', (error) => {
    failed ??= error
  })
  return async () => {
    await turn()
    if (failed !== undefined) throw notTaken('stdout', failed)
    if (stdout.writableLength > 0) await streamWriter(stdout, 'stdout')('')
  }
}

function explained(error: unknown): { exit: Exit; text: string } {
  if (error instanceof UsageError)
    return { exit: error.exit, text: `${error.message} (see claude-batch --help)` }
  if (error instanceof RunError) return { exit: error.exit, text: error.message }
  const { code } = (error ?? {}) as NodeJS.ErrnoException
  if (code === 'EMFILE' || code === 'ENFILE')
    return { exit: 'io', text: 'too many open files (raise ulimit -n, or lower --concurrency)' }
  const stack = error instanceof Error ? error.stack : String(error)
  return { exit: 'bug', text: `this is a bug, please report it:\n${stack}` }
}

async function packageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(shipped('../package.json'), 'utf8')) as {
    version: string
  }
  return version
}
