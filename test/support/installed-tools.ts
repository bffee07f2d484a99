import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { installPacked } from './packed-package.ts'

const run = promisify(execFile)

/** Packages of npm that a test needs and the project does not. */
export interface InstalledTools {
  readonly folder: string
  /** Why they are not installed; undefined if they are. */
  readonly whyNot: string | undefined
}

/** Installs packages of npm into a temporary folder, which later runs use again. */
export async function installTools(...packages: readonly string[]): Promise<InstalledTools> {
  const id = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12)
  const folder = join(tmpdir(), `claude-batch-tools-${id}`)
  await mkdir(folder, { recursive: true })
  const flags = ['--silent', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', folder]
  const whyNot = await run('npm', ['install', ...flags, ...packages], { timeout: 240_000 }).then(
    () => undefined,
    (error) =>
      `not installed: ${packages.join(', ')}: ${String(error.stderr || error.message).slice(0, 200)}`,
  )
  return { folder, whyNot }
}

/**
 * Creates an application next to installed tools, which it may import, with the packed library in its `node_modules`.
 * It is removed when the test ends.
 */
export async function createApplication(
  { folder: tools }: InstalledTools,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await mkdtemp(join(tools, 'application-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [path, content] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), content)
  }
  await installPacked(folder)
  return folder
}

/** Returns the path of a program that an installed package brings. */
export const findTool = ({ folder }: InstalledTools, name: string): string =>
  join(folder, 'node_modules/.bin', name)
