import { readFile } from 'node:fs/promises'
import { runCli } from './cli.ts'
import { printable } from './core/printable.ts'
import { type Exit, RunError, UsageError } from './errors.ts'
import type { World } from './world.ts'

/** The whole program: from the world it may touch to how it ends. Known errors are one line, bugs show their stack. */
export async function main(world: World): Promise<Exit> {
  try {
    return await runCli(world, await packageVersion())
  } catch (error) {
    const { exit, text } = explained(error)
    world.stderr.write(`claude-batch: ${printable(text, '\n')}\n`)
    return exit
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
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}
