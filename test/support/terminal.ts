import { execFile, spawnSync } from 'node:child_process'
import { bin } from './run-cli.ts'

/** Returns why no terminal is available, or undefined if there is one. */
export function whyTerminalUnavailable(): string | undefined {
  const { status } = spawnSync('python3', ['-c', 'import pty'])
  return status === 0 ? undefined : 'needs python3 for a terminal'
}

const ptyScript = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
while True:
    try: chunk = os.read(terminal, 65536)
    except OSError: break
    if not chunk: break
    sys.stdout.buffer.write(chunk)
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

/** Runs the program with a terminal for stdin, stdout and stderr. @returns its output there */
export async function runOnTerminal(
  args: readonly string[],
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
): Promise<{ code: number; shown: string }> {
  return new Promise((resolve) => {
    execFile(
      'python3',
      ['-c', ptyScript, process.execPath, bin, ...args],
      { cwd, env: { PATH: process.env['PATH'], TERM: 'xterm', ...env } },
      (error, shown) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, shown }),
    )
  })
}
