import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import { splitCommandLine } from '../core/text/split-command-line.ts'
import type { Runtime } from '../runtime.ts'
import { type Check, passed, warned } from './check-result.ts'

/**
 * Checks whether the programs exist that read documents for the user. The arguments are not shown, because they may be
 * secret.
 * @param commands command lines by file extension
 */
export async function checkConverters(
  commands: Readonly<Record<string, string>>,
  runtime: Pick<Runtime, 'cwd' | 'env'>,
): Promise<Check[]> {
  const programs = Object.entries(commands).map(([extension, command]) => ({
    extension,
    program: splitCommandLine(command)?.[0] ?? '',
  }))
  if (programs.length === 0) return []
  const missing: string[] = []
  for (const { program } of programs) if (!(await isProgram(program, runtime))) missing.push(program)
  const found = programs.map(({ extension, program }) => `.${extension}: ${program}`).join(', ')
  return [
    missing.length === 0
      ? passed('converters', found)
      : warned(
          'converters',
          `${found}; not found: ${missing.join(', ')}`,
          'install them, or change --convert',
        ),
  ]
}

async function isProgram(program: string, { cwd, env }: Pick<Runtime, 'cwd' | 'env'>): Promise<boolean> {
  const isPath = /[/\\]/.test(program)
  const folders = isPath
    ? [cwd]
    : (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const folder of folders)
    for (const ending of endings)
      if (await isExecutable(resolve(cwd, isPath ? program + ending : join(folder, program + ending))))
        return true
  return false
}

/** Windows adds an ending to the name of a program. */
const endings = ['', '.exe', '.com']

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    // A folder is executable, too.
    return (await stat(file)).isFile()
  } catch {
    return false
  }
}
