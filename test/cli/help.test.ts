import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listCommandPaths, listVisibleCommands } from '../../src/cli/visible-commands.ts'
import { createProgram } from '../../src/cli.ts'
import type { Runtime } from '../../src/runtime.ts'
import { runInProcess } from '../support/run-in-process.ts'

const run = (...args: string[]) => runInProcess(args, { cwd: '/', env: {} })
const program = createProgram({} as Runtime, '0', () => {})
const commands = listVisibleCommands(program).map((command) => command.name())

describe('help with the usage', () => {
  it.each(commands)('the help of %s starts with examples whose flags exist', async (command) => {
    const { code, stdout } = await run(command, '--help')
    expect([code, stdout.slice(0, 10)]).toEqual([0, 'Examples:\n'])
    const examples = stdout.slice(0, stdout.indexOf('\n\n')).split('\n').slice(1)
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) {
      const [, name = '', rest = ''] = /claude-batch (\S+) (.*?)(?: {3}|$)/.exec(example) ?? []
      expect(commands, example).toContain(name)
      const own = (await run(name, '--help')).stdout.replace(/^Examples:[\s\S]*?\n\n/, '')
      for (const [flag] of rest.matchAll(/--[a-z-]+/g)) expect(own, example).toContain(`${flag} `)
    }
  })

  it('claude-batch without arguments prints five lines to stderr', async () => {
    const { code, stdout, stderr } = await run()
    expect([code, stdout, stderr.split('\n').length]).toEqual([2, '', 5])
    expect(stderr).toContain('claude-batch summarize ./docs --simulate')
  })

  it.each([
    [['summarise', 'docs'], 'Did you mean summarize?'],
    [['prompts', 'lst'], 'Did you mean list?'],
    [['summarize', 'docs', '--modell', 'x'], 'Did you mean --model?'],
    [['serve', '--prot', '1'], 'Did you mean --port?'],
  ])('an error about a mistyped name suggests the right one: %j', async (args, hint) => {
    expect(await run(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(hint) })
  })

  it('an error about missing credentials names ANTHROPIC_API_KEY and --simulate', async () => {
    const { code, stderr } = await runInProcess(['summarize', 'README.md'], { cwd: resolve('.'), env: {} })
    expect([code, stderr]).toEqual([2, expect.stringMatching(/set ANTHROPIC_API_KEY .*--simulate/)])
  })
})

describe('the manual page', () => {
  const page = resolve(import.meta.dirname, '../../dist/man/claude-batch.1')

  it('has a section for every command', async () => {
    const roff = await readFile(page, 'utf8')
    expect(listCommandPaths(program)).toContain('batches collect')
    for (const path of listCommandPaths(program)) expect(roff).toContain(`\n.SS ${path}\n`)
  })

  it.skipIf(spawnSync('groff', ['--version']).status !== 0)('is well-formed', () => {
    const { stderr, stdout } = spawnSync('groff', ['-man', '-Tutf8', '-Kutf8', '-ww', page], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout).toContain("claude-batch summarize 'reports/**/*.md' --simulate")
  })
})
