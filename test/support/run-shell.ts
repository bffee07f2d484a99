import { spawn } from 'node:child_process'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { bin } from './run-cli.ts'

export interface ShellResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ShellOptions {
  /** The working directory and home. Programs in its `bin/` come first. */
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** The shell with its options. */
  readonly shell?: readonly [string, ...string[]]
}

/** Runs commands as a user does who pastes them into a shell. */
export async function runShell(
  commands: string,
  { cwd, env = {}, shell: [program, ...options] = ['bash', '-euo', 'pipefail'] }: ShellOptions,
): Promise<ShellResult> {
  const PATH = [join(cwd, 'bin'), process.env['PATH']].join(delimiter)
  const child = spawn(program, [...options, '-c', commands], {
    cwd,
    env: { PATH, HOME: cwd, ...env },
    // With a pipe of Node, which is a socket, bash would read its startup files.
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? Number.NaN)))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}

/** Adds commands to `bin/` of a folder: the program, and scripts that stand in for others, by name. */
export async function addCommands(
  cwd: string,
  scripts: Readonly<Record<string, string>> = {},
): Promise<void> {
  await mkdir(join(cwd, 'bin'))
  await symlink(bin, join(cwd, 'bin', 'claude-batch'))
  await symlink(process.execPath, join(cwd, 'bin', 'node'))
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(cwd, 'bin', name), `#!/bin/sh\n${script}\n`)
    await chmod(join(cwd, 'bin', name), 0o755)
  }
}
