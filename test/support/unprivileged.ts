import { execFile, spawnSync } from 'node:child_process'
import { chmod } from 'node:fs/promises'
import { bin, type ProcessResult } from './run-cli.ts'
import { has } from './system.ts'

const setprivCommand = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
const wrapper = process.getuid?.() === 0 ? setprivCommand : []

/** Returns why permissions cannot be tested, or undefined if they can. */
export function whyPermissionsUntestable(): string | undefined {
  if (!has.permissions) return 'permissions are not POSIX here'
  if (wrapper.length === 0) return undefined
  const [command = '', ...rest] = [...wrapper, process.execPath, bin, '--version']
  return spawnSync(command, rest).status === 0
    ? undefined
    : 'root may read everything, and setpriv cannot start the program as somebody else'
}

/** Runs the program as an unprivileged user, who gets access to the folder for it. */
export async function runUnprivileged(
  args: readonly string[],
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
): Promise<ProcessResult> {
  await chmod(cwd, 0o777)
  const [command = '', ...rest] = [...wrapper, process.execPath, bin, ...args]
  return new Promise((resolve) => {
    execFile(command, rest, { cwd, env: { PATH: process.env['PATH'], ...env } }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, signal: null, stdout, stderr })
    })
  })
}
